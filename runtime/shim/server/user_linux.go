package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// maxAccounts bounds an image's /etc/passwd and /etc/group, in bytes.
const maxAccounts = 8 << 20

// resolveUser turns an image's USER into ids, by the root's own accounts. A
// name that the image does not know means root; an id out of range, or an
// unknown group, is refused.
// Source: Cloud Run container runtime contract, "Running as a user".
func resolveUser(r *root, name string) (specs.User, error) {
	if name == "" {
		return specs.User{}, nil
	}
	passwd, err := r.accounts("/etc/passwd")
	if err != nil {
		return specs.User{}, err
	}
	group, err := r.accounts("/etc/group")
	if err != nil {
		return specs.User{}, err
	}
	u, err := user.GetExecUser(name, nil, bytes.NewReader(passwd), bytes.NewReader(group))
	if errors.Is(err, user.ErrNoPasswdEntries) && isName(name) {
		return specs.User{}, nil
	}
	if err != nil {
		return specs.User{}, shim.Unstartable(fmt.Sprintf("user %q: %v", name, err))
	}
	ids := specs.User{UID: uint32(u.Uid), GID: uint32(u.Gid)}
	for _, id := range append([]int{u.Uid, u.Gid}, u.Sgids...) {
		// The library does not check what the files themselves say.
		if id < 0 || id > math.MaxInt32 {
			return specs.User{}, shim.Unstartable(fmt.Sprintf("user %q: the image gives it the id %d, which is out of range", name, id))
		}
	}
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

// accounts reads an account file of the image; one that is missing is empty. One
// that cannot be read whole is refused, since a user missed in it would be taken
// for unknown, and run as root.
func (r *root) accounts(path string) ([]byte, error) {
	f, err := r.open(path, unix.O_RDONLY|unix.O_NONBLOCK)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, shim.Unstartable(fmt.Sprintf("read accounts of the image: %v", err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read accounts of the image: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxAccounts {
		return nil, shim.Unstartable(fmt.Sprintf("%s of the image is not a file of at most %d bytes", path, maxAccounts))
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read accounts of the image: %w", err)
	}
	return text, nil
}
