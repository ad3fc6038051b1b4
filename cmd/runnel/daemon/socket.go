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

	"runnel/api/wire"
)

// socketDirMode lets everybody reach the socket, which has a mode of its own.
const socketDirMode = 0o755

// listenUnix listens at path for root and, if there is one of that name, a
// group.
func listenUnix(path, group string) (net.Listener, error) {
	gid, err := groupID(group)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	if err := makeSocketDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("cannot make the socket's directory: %w", err)
	}
	l, err := wire.ListenUnix(path, gid)
	if errors.Is(err, wire.ErrInUse) {
		return nil, fmt.Errorf("cannot listen on %s: another daemon does; give this one a --socket of its own", path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot %w", err) // "listen at PATH: ..."
	}
	return l, nil
}

// makeSocketDir makes a directory that everybody may enter, whatever the umask,
// and those above it. What is there already stays as it is.
func makeSocketDir(dir string) error {
	err := os.Mkdir(dir, socketDirMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeSocketDir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, socketDirMode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, socketDirMode); err != nil {
		return errors.Join(err, os.Remove(dir))
	}
	return nil
}

// groupID is the number of a group; root's if there is none of that name.
func groupID(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	g, err := user.LookupGroup(name)
	if unknown := user.UnknownGroupError(""); errors.As(err, &unknown) || errors.Is(err, fs.ErrNotExist) {
		return 0, nil // a host without groups has not this one either
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
