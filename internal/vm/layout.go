package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"runnel/internal/vm/wire"
)

// diskSize is that of the guest's disk; the file is sparse.
const diskSize = "6G"

// machine is what QEMU needs to boot.
type machine struct {
	kernel, initramfs, disk string
	// console is where the kernel's messages go.
	console string
}

// layOut builds everything that runs in the guest and makes its disk.
//
// The tests find themselves at the paths they have on the host, beside the
// module's go.mod, their testdata and bin/, so that nothing in them needs to
// know where it runs.
func layOut(ctx context.Context, c config, m module, k kernel, packages []testPackage) (machine, error) {
	tree := filepath.Join(c.work, "root")
	if err := errors.Join(os.RemoveAll(tree), os.MkdirAll(tree, 0o755)); err != nil {
		return machine{}, err
	}
	suites, err := buildSuites(ctx, c, m, tree, packages)
	if err != nil {
		return machine{}, err
	}
	if err := writeHost(ctx, tree, k, suites); err != nil {
		return machine{}, err
	}
	if err := copyModuleFiles(m, c.bin, tree, packages); err != nil {
		return machine{}, err
	}
	disk := filepath.Join(c.work, "root.ext4")
	if err := os.RemoveAll(disk); err != nil {
		return machine{}, err
	}
	if err := command(ctx, "", "mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", tree, disk, diskSize); err != nil {
		return machine{}, err
	}
	initramfs := filepath.Join(c.work, "initramfs")
	if err := makeInitramfs(ctx, m, k, c.work, initramfs); err != nil {
		return machine{}, err
	}
	return machine{
		kernel: k.image, initramfs: initramfs, disk: disk,
		console: filepath.Join(c.work, "console.log"),
	}, os.RemoveAll(tree)
}

// buildSuites compiles the tests of packages into tree. libcontainer's need
// cgo, and are linked statically all the same: the guest has no C library. A
// package that does not build is marked, and the others run without it.
func buildSuites(ctx context.Context, c config, m module, tree string, packages []testPackage) ([]wire.Suite, error) {
	var suites []wire.Suite
	for i, p := range packages {
		binary := filepath.Join(p.dir, filepath.Base(p.dir)+".test")
		args := []string{"test", "-c", "-o", filepath.Join(tree, binary)}
		cgo := "CGO_ENABLED=0"
		if p.cgo {
			cgo = "CGO_ENABLED=1"
			args = append(args, "-tags", "netgo,osusergo", "-ldflags", "-s -w -linkmode external -extldflags -static")
		} else {
			args = append(args, "-ldflags", "-s -w")
		}
		if packages[i].broken = goBuild(ctx, cgo, append(args, p.path)...); packages[i].broken != nil {
			continue
		}
		suites = append(suites, wire.Suite{
			Package: p.path, Dir: p.dir, Env: guestEnv(m),
			Args: testArgs(binary, c.run, c.suite),
		})
	}
	return suites, ctx.Err()
}

// testArgs asks for the short form: what only costs processor time proves
// nothing more in a machine that is twenty times slower.
func testArgs(binary, run string, limit time.Duration) []string {
	args := []string{binary, "-test.v", "-test.short", "-test.timeout=" + limit.String()}
	if run != "" {
		args = append(args, "-test.run="+run)
	}
	return args
}

// guestEnv is the environment of the tests. Nothing may be skipped there for
// want of the host, and no compiler is there to build the programs.
func guestEnv(m module) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "TMPDIR=/tmp", "LANG=C.UTF-8",
		"RUNNEL_TEST_VM=1", "RUNNEL_TEST_MUST_RUN=1",
		"RUNNEL_TEST_BIN=" + filepath.Join(m.dir, "bin"),
	}
}

func goBuild(ctx context.Context, cgo string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", cgo, strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// copyModuleFiles copies what tests read besides themselves: go.mod, testdata,
// examples, and the programs that have been built into bin.
func copyModuleFiles(m module, bin, tree string, packages []testPackage) error {
	for from, to := range map[string]string{
		filepath.Join(m.dir, "go.mod"):     m.dir,
		filepath.Join(m.dir, "examples/*"): filepath.Join(m.dir, "examples"),
		filepath.Join(bin, "*"):            filepath.Join(m.dir, "bin"),
	} {
		if err := copyMatching(from, filepath.Join(tree, to)); err != nil {
			return err
		}
	}
	for _, p := range packages {
		data := filepath.Join(p.dir, "testdata")
		if _, err := os.Stat(data); err != nil {
			continue
		}
		if err := os.CopyFS(filepath.Join(tree, data), os.DirFS(data)); err != nil {
			return err
		}
	}
	return nil
}

// copyMatching copies the files that match pattern into dir.
func copyMatching(pattern, dir string) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := copyFile(f, filepath.Join(dir, filepath.Base(f))); err != nil {
			return err
		}
	}
	return nil
}

// makeInitramfs builds the guest's first program and packs it with the modules
// that lead to the disk.
func makeInitramfs(ctx context.Context, m module, k kernel, work, file string) error {
	guest := filepath.Join(work, "guest")
	if err := goBuild(ctx, "CGO_ENABLED=0", "build", "-trimpath", "-ldflags", "-s -w", "-o", guest, m.path+"/internal/vm/guest"); err != nil {
		return err
	}
	modules, err := k.moduleOrder(earlyModules)
	if err != nil {
		return err
	}
	list := filepath.Join(work, "modules.list")
	if err := os.WriteFile(list, []byte("/"+strings.Join(modules, "\n/")+"\n"), 0o644); err != nil {
		return err
	}
	files := map[string]string{"init": guest, strings.TrimPrefix(wire.ModulesFile, "/"): list}
	for _, mod := range modules {
		files[mod] = filepath.Join(k.moduleDir(), mod)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(writeInitramfs(out, files), out.Close())
}
