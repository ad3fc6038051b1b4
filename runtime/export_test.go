package runtime

// Gone is closed when the shim has gone away.
func (l *Launcher) Gone() <-chan struct{} { return l.client.Done() }

// KeeperPID is the shim's process id.
func (l *Launcher) KeeperPID() int { return l.process.PID() }
