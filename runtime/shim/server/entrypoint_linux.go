package server

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// checkEntrypoint looks at what the kernel will be asked to execute, so that a
// container that cannot start says why in plain words, and says so when it is
// created. It returns the path that will be executed. Every complaint is
// shim.ErrUnstartable.
func checkEntrypoint(r *root, p *specs.Process) (string, error) {
	if st, err := r.stat(p.Cwd); err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return "", shim.Unstartable(fmt.Sprintf("working directory %q is not a directory in the image", p.Cwd))
	}
	found, err := lookPath(r, p)
	if err != nil {
		return "", err
	}
	f, err := r.open(found, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return "", shim.Unstartable(fmt.Sprintf("entrypoint %q: %v", p.Args[0], err))
	}
	defer f.Close()
	return found, checkFormat(r, f, found)
}

// lookPath finds the entrypoint as execvp would.
func lookPath(r *root, p *specs.Process) (string, error) {
	name := p.Args[0]
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join(p.Cwd, name)
		}
		if err := executable(r, name, &p.User); err != nil {
			return "", shim.Unstartable(fmt.Sprintf("entrypoint %q %v", p.Args[0], err))
		}
		return name, nil
	}
	search := ""
	for _, e := range p.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			search = v
		}
	}
	var denied error
	for dir := range strings.SplitSeq(search, ":") {
		candidate := path.Join("/", dir, name)
		err := executable(r, candidate, &p.User)
		if err == nil {
			return candidate, nil
		}
		if !errors.Is(err, errMissing) {
			denied = fmt.Errorf("%s %w", candidate, err)
		}
	}
	if denied != nil {
		return "", shim.Unstartable(fmt.Sprintf("entrypoint %q: %v", name, denied))
	}
	return "", shim.Unstartable(fmt.Sprintf("entrypoint %q was not found in the image's PATH (%s)", name, search))
}

// errMissing says that a path does not exist in the image.
var errMissing = errors.New("does not exist in the image")

// executable says why user may not execute p, or nil. The text continues a
// sentence whose subject is p.
func executable(r *root, p string, user *specs.User) error {
	st, err := r.stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return errMissing
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return errors.New("is a directory")
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("is not a regular file")
	}
	if !mayExecute(&st, user) {
		return fmt.Errorf("is not executable (mode %04o)", st.Mode&0o7777)
	}
	return nil
}

// mayExecute applies the permission bits; root needs any of the three.
func mayExecute(st *unix.Stat_t, user *specs.User) bool {
	switch {
	case user.UID == 0:
		return st.Mode&0o111 != 0
	case user.UID == st.Uid:
		return st.Mode&0o100 != 0
	case user.GID == st.Gid || slices.Contains(user.AdditionalGids, st.Gid):
		return st.Mode&0o010 != 0
	}
	return st.Mode&0o001 != 0
}

// checkFormat refuses programs for another machine, and those whose
// interpreter the image lacks, which the kernel would report as if the
// entrypoint itself were missing.
func checkFormat(r *root, f *os.File, name string) error {
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read entrypoint %s: %w", name, err)
	}
	head = head[:n]
	switch {
	case n == 0:
		return shim.Unstartable(fmt.Sprintf("entrypoint %q is an empty file", name))
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := strings.Cut(string(head[2:]), "\n")
		if fields := strings.Fields(line); len(fields) > 0 {
			return checkInterpreter(r, name, fields[0])
		}
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return checkELF(r, f, head, name)
	}
	return nil
}

func checkInterpreter(r *root, name, interp string) error {
	if _, err := r.stat(interp); errors.Is(err, fs.ErrNotExist) {
		return shim.Unstartable(fmt.Sprintf("entrypoint %q needs the interpreter %s, which the image lacks", name, interp))
	}
	return nil
}
