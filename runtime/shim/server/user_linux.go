package server

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// maxAccounts bounds how much of an image's /etc/passwd and /etc/group is
// read, in bytes.
const maxAccounts = 8 << 20

// resolveUser turns an image's USER into ids, by the root's own accounts. A
// name that the image does not know means root; an id out of range, or an
// unknown group, is refused.
// Source: Cloud Run container runtime contract, "Running as a user".
func resolveUser(r *root, name string) (specs.User, error) {
	if name == "" {
		return specs.User{}, nil
	}
	passwd, closePasswd := r.accounts("/etc/passwd")
	defer closePasswd()
	group, closeGroup := r.accounts("/etc/group")
	defer closeGroup()

	u, err := user.GetExecUser(name, nil, passwd, group)
	switch {
	case err == nil:
	case isName(name) && !errors.Is(err, user.ErrNoGroupEntries):
		return specs.User{}, nil
	default:
		return specs.User{}, shim.Unstartable(fmt.Sprintf("user %q: %v", name, err))
	}
	ids := specs.User{UID: uint32(u.Uid), GID: uint32(u.Gid)}
	for _, g := range u.Sgids {
		ids.AdditionalGids = append(ids.AdditionalGids, uint32(g))
	}
	return ids, nil
}

// isName reports whether the user part of spec is a name and not a number.
func isName(spec string) bool {
	name, _, _ := strings.Cut(spec, ":")
	_, err := strconv.Atoi(name)
	return errors.Is(err, strconv.ErrSyntax)
}

// accounts opens an account file of the image; one that is missing or is not a
// file reads as empty.
func (r *root) accounts(path string) (io.Reader, func()) {
	f, err := r.open(path, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return strings.NewReader(""), func() {}
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return strings.NewReader(""), func() {}
	}
	return io.LimitReader(f, maxAccounts), func() { _ = f.Close() }
}
