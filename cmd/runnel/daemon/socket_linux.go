package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Modes of the unix socket: of root and of a group, if there is one.
const (
	socketDirMode   = 0o755
	groupSocketMode = 0o660
)

// dialTime bounds the question whether somebody listens on a socket that is
// there already.
const dialTime = time.Second

// listenUnix listens at path for root and, if it exists, the group. A socket
// that a dead daemon left is replaced; one that somebody listens on is not.
func listenUnix(path, group string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), socketDirMode); err != nil {
		return nil, fmt.Errorf("cannot make the socket's directory: %w", err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// Nobody gets in before the mode is right.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	if err := admit(path, group); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot give %s to group %s: %w", path, group, err), l.Close())
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("cannot listen on %s: something else is there", path)
	}
	if c, err := net.DialTimeout("unix", path, dialTime); err == nil {
		_ = c.Close() // it was only a question
		return fmt.Errorf("cannot listen on %s: another daemon does", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("cannot replace the socket of an earlier daemon: %w", err)
	}
	return nil
}

// admit lets a group use the socket; a group that does not exist is none.
func admit(path, group string) error {
	if group == "" {
		return nil
	}
	g, err := user.LookupGroup(group)
	if unknown := user.UnknownGroupError(""); errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return err
	}
	if err := os.Lchown(path, 0, gid); err != nil {
		return err
	}
	return os.Chmod(path, groupSocketMode)
}
