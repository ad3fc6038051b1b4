package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// runnelTool is Runnel as people use it: one command that runs a job.
type runnelTool struct {
	program, root, cpu, ref string
}

func newRunnel(c config) (tool, error) {
	if !slices.Contains(strings.Split(c.tools, ","), "runnel") {
		return nil, errUnwanted
	}
	program, err := filepath.Abs(filepath.Join(c.bin, "runnel"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w; make build makes it", err)
	}
	return &runnelTool{program: program, root: filepath.Join(c.dir, "runnel"), cpu: c.cpu}, nil
}

func (t *runnelTool) name() string    { return "Runnel" }
func (t *runnelTool) version() string { return firstLine(t.program, "version") }
func (t *runnelTool) slow() bool      { return false }
func (t *runnelTool) close() error    { return nil }

func (t *runnelTool) setUp(ctx context.Context, ref string) error {
	t.ref = ref
	return t.run(ctx, 1, 1)
}

// run is one execution, from the start of the program to its end.
func (t *runnelTool) run(ctx context.Context, n, atOnce int) error {
	return t.job(ctx, t.root, t.ref, n, atOnce)
}

func (t *runnelTool) job(ctx context.Context, root, ref string, n, atOnce int) error {
	return quiet(ctx, t.program, "run", "--root", root, "--image", ref, "--command", "/bin/true",
		"--tasks", strconv.Itoa(n), "--parallelism", strconv.Itoa(atOnce), "--max-retries", "0", "--cpu", t.cpu)
}

// pull is a pull into an empty root and one task: there is no command for the
// first alone.
func (t *runnelTool) pull(ctx context.Context, ref string) error {
	return t.job(ctx, t.root+"-pull", ref, 1, 1)
}

func (t *runnelTool) forget(context.Context, string) error { return os.RemoveAll(t.root + "-pull") }

// runcTool is the bare runtime on a bundle: no image, no network, no limits.
type runcTool struct {
	program, dir string
}

func newRunc(c config) (tool, error) {
	program, err := find(c, "runc")
	return &runcTool{program: program, dir: filepath.Join(c.dir, "runc")}, err
}

func (t *runcTool) name() string                         { return "runc, bare" }
func (t *runcTool) version() string                      { return firstLine(t.program, "--version") }
func (t *runcTool) slow() bool                           { return false }
func (t *runcTool) close() error                         { return nil }
func (t *runcTool) pull(context.Context, string) error   { return errors.ErrUnsupported }
func (t *runcTool) forget(context.Context, string) error { return nil }

// setUp writes a bundle: busybox as root file system, and the specification
// that runc itself proposes, with /bin/true and without a terminal.
func (t *runcTool) setUp(ctx context.Context, _ string) error {
	bundle := filepath.Join(t.dir, "bundle")
	if err := busyboxTree(filepath.Join(bundle, "rootfs")); err != nil {
		return err
	}
	if err := command(ctx, t.program, "spec", "--bundle", bundle); err != nil {
		return err
	}
	file := filepath.Join(bundle, "config.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(raw, &spec); err != nil {
		return err
	}
	process, ok := spec["process"].(map[string]any)
	if !ok {
		return fmt.Errorf("%s has no process", file)
	}
	process["terminal"], process["args"] = false, []string{"/bin/true"}
	if raw, err = json.Marshal(spec); err != nil {
		return err
	}
	return write(file, string(raw))
}

func (t *runcTool) run(ctx context.Context, n, atOnce int) error {
	return repeat(n, atOnce, func(i int) error {
		return quiet(ctx, t.program, "--root", filepath.Join(t.dir, "state"), "run",
			"--bundle", filepath.Join(t.dir, "bundle"), "bench-"+strconv.Itoa(i))
	})
}
