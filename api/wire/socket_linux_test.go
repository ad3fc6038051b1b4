package wire_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/api/wire"
)

// contract: ATK-32
func TestListenUnix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	ln, err := wire.ListenUnix(path, os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if _, err := wire.ListenUnix(path, os.Getgid()); !errors.Is(err, wire.ErrInUse) {
		t.Errorf("a socket that is answered: %v", err)
	}
	// As kill -9 leaves it.
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	ln, err = wire.ListenUnix(path, os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("left behind: %v %v", names, err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.ListenUnix(path, os.Getgid()); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
}
