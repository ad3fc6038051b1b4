package runtime

import "context"

// Gone is closed when the present shim has gone away.
func (l *Launcher) Gone() <-chan struct{} { return l.present().client.Done() }

// KeeperPID is the present shim's process id.
func (l *Launcher) KeeperPID() int { return l.present().client.PID() }

// present is the shim that keeps new instances.
func (l *Launcher) present() *keeper {
	k, err := l.keepers.get(context.Background())
	if err != nil {
		panic(err)
	}
	return k
}
