package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"runnel/internal/vm/wire"
)

// hostPrograms are what tests execute beside busybox, copied from this host
// with the libraries they need.
var hostPrograms = [...]string{"tar", "docker-registry"}

// writeHost writes what makes the disk a host: busybox under every name it
// answers to, the kernel's modules, and a few files of /etc.
func writeHost(ctx context.Context, tree string, k kernel, suites []wire.Suite) error {
	list, err := json.Marshal(suites)
	if err != nil {
		return err
	}
	files := map[string]string{
		wire.SuitesFile:   string(list),
		"/etc/passwd":     "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
		"/etc/group":      "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
		"/etc/hosts":      "127.0.0.1 localhost\n::1 localhost\n",
		"/etc/hostname":   "vm\n",
		"/etc/os-release": "ID=runnel-vm\nPRETTY_NAME=\"Runnel test machine\"\n",
		// No resolver: the network is off.
		"/etc/resolv.conf": "",
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for dir, mode := range map[string]fs.FileMode{
		"proc": 0o755, "sys": 0o755, "dev": 0o755, "run": 0o755, "root": 0o700,
		"var/lib": 0o755, "var/log": 0o755, "tmp": 0o777 | fs.ModeSticky, "var/tmp": 0o777 | fs.ModeSticky,
	} {
		path := filepath.Join(tree, dir)
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, mode)); err != nil {
			return err
		}
	}
	if err := installBusybox(ctx, tree); err != nil {
		return err
	}
	for _, name := range hostPrograms {
		if err := installProgram(ctx, tree, name); err != nil {
			return fmt.Errorf("install %s: %w", name, err)
		}
	}
	return os.CopyFS(filepath.Join(tree, "lib/modules", k.version), os.DirFS(k.moduleDir()))
}

// installBusybox puts busybox where Debian has it, and links its names to it.
func installBusybox(ctx context.Context, tree string) error {
	out, err := exec.CommandContext(ctx, "busybox", "--list-full").Output()
	if err != nil {
		return fmt.Errorf("list what busybox offers: %w", err)
	}
	path, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	if err := copyFile(path, filepath.Join(tree, "bin/busybox")); err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(out)) {
		link := filepath.Join(tree, name)
		if link == filepath.Join(tree, "bin/busybox") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("/bin/busybox", link); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return os.Symlink("/bin/busybox", filepath.Join(tree, "usr/bin/busybox"))
}

// installProgram copies a program of this host over whatever bears its name,
// with its shared libraries at their own paths.
func installProgram(ctx context.Context, tree, name string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	// ldd fails for a static program, which needs nothing.
	libraries, _ := exec.CommandContext(ctx, "ldd", path).Output()
	for _, file := range append(lddPaths(string(libraries)), path) {
		to := filepath.Join(tree, file)
		if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := copyFile(file, to); err != nil {
			return err
		}
	}
	return nil
}

// lddPaths picks the files out of what ldd prints: "libc.so.6 => /lib/libc.so.6
// (0x7f…)", and the loader without an arrow.
func lddPaths(ldd string) []string {
	var paths []string
	for field := range strings.FieldsSeq(ldd) {
		if filepath.IsAbs(field) {
			paths = append(paths, field)
		}
	}
	return paths
}
