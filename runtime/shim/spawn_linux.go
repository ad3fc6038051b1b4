package shim

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Descriptors that a spawned shim finds open.
const (
	// ListenerFD is the listening socket of the protocol.
	ListenerFD = 3
	// LifelineFD is the read end of a pipe whose other end the daemon holds,
	// if the shim was spawned with Lifeline.
	LifelineFD = 4
)

// SpawnConfig says how to start a shim.
type SpawnConfig struct {
	// Binary is the path of runnel-shim.
	Binary string
	// Dir is the shim's own directory, which must exist; the socket, the
	// journal of exits and the shim's log are made in it.
	Dir string
	// Lifeline ties the shim to this process: when it ends, however it ends,
	// the shim kills its containers and leaves. Without it the shim outlives
	// its parent, and shares neither session nor standard streams with it.
	Lifeline bool
	// Hold is kept open by the shim for its whole life: a lock, which then nobody
	// else gets before the shim has ended. Nil: nothing to hold.
	Hold *os.File
}

// socketName is what the protocol's socket is called in the shim's directory.
const socketName = "shim.sock"

// Spawn starts a shim in a session and a mount namespace of its own. When it
// returns, the socket accepts connections.
func Spawn(cfg SpawnConfig) (_ *Process, err error) {
	listener, err := listen(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	log, err := os.OpenFile(filepath.Join(cfg.Dir, logName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open shim log: %w", err)
	}
	defer log.Close()

	cmd := exec.Command(cfg.Binary, "--dir", cfg.Dir)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stderr = log // a file, so that the shim can write when nobody reads
	cmd.ExtraFiles = []*os.File{listener}
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNS}
	var lifeline *os.File
	if cfg.Lifeline {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("make lifeline: %w", err)
		}
		defer r.Close()
		lifeline = w
		cmd.ExtraFiles = append(cmd.ExtraFiles, r)
		cmd.Args = append(cmd.Args, "--lifeline")
	}
	if cfg.Hold != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, cfg.Hold) // inherited, and never looked at
	}
	if err := cmd.Start(); err != nil {
		if lifeline != nil {
			_ = lifeline.Close() // nobody holds the other end
		}
		return nil, fmt.Errorf("start shim: %w", err)
	}
	return watch(cmd, log.Name(), lifeline), nil
}

// listen makes the socket anew: whoever listened there before is gone, if the
// caller holds the lock that every shim of the directory holds too.
func listen(dir string) (*os.File, error) {
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove old shim socket: %w", err)
	}
	in, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("listen for shim: %w", err)
	}
	defer in.Close()
	l, err := net.ListenUnix("unix", AddrIn(in, socketName, "unix"))
	if err != nil {
		return nil, fmt.Errorf("listen for shim: %w", err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("restrict shim socket: %w", err)
	}
	f, err := l.File()
	if err != nil {
		return nil, fmt.Errorf("pass on shim socket: %w", err)
	}
	return f, nil
}
