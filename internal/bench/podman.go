package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// podmanConf makes Podman work where there is no systemd and where limits
// cannot be raised; the rest is its default. Podman lowers its own limit of
// processes to kernel.pid_max, so its containers' has to be below.
const podmanConf = `[containers]
default_ulimits = ["nofile=%[1]s:%[1]s", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`

// podmanTool is Podman with runc, on a store of its own.
type podmanTool struct {
	program, dir, ref string
}

func newPodman(c config) (tool, error) {
	program, err := find(c, "podman")
	return &podmanTool{program: program, dir: filepath.Join(c.dir, "podman")}, err
}

func (t *podmanTool) name() string    { return "Podman" }
func (t *podmanTool) version() string { return firstLine(t.program, "--version") }
func (t *podmanTool) slow() bool      { return true }

// args puts the options of the store before a subcommand's.
func (t *podmanTool) args(args ...string) []string {
	return append([]string{
		"--root", filepath.Join(t.dir, "store"), "--runroot", filepath.Join(t.dir, "run"),
		"--tmpdir", filepath.Join(t.dir, "tmp"), "--storage-driver", "overlay",
	}, args...)
}

func (t *podmanTool) setUp(ctx context.Context, ref string) error {
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return err
	}
	conf := filepath.Join(t.dir, "containers.conf")
	text := fmt.Sprintf(podmanConf, hardLimit("Max open files"))
	if err := write(conf, text); err != nil {
		return err
	}
	if err := os.Setenv("CONTAINERS_CONF", conf); err != nil {
		return err
	}
	t.ref = ref
	if err := t.pull(ctx, ref); err != nil {
		return err
	}
	// The first run makes the bridge.
	return command(ctx, t.program, t.args("run", "--rm", ref, "/bin/true")...)
}

func (t *podmanTool) run(ctx context.Context, n, atOnce int) error {
	return repeat(n, atOnce, func(int) error {
		return quiet(ctx, t.program, t.args("run", "--rm", t.ref, "/bin/true")...)
	})
}

func (t *podmanTool) pull(ctx context.Context, ref string) error {
	return command(ctx, t.program, t.args("pull", "--quiet", "--tls-verify=false", ref)...)
}

func (t *podmanTool) forget(ctx context.Context, ref string) error {
	return command(ctx, t.program, t.args("rmi", "--force", ref)...)
}

// close takes the mounts of the store away, without which it cannot be removed.
func (t *podmanTool) close() error {
	if t.ref == "" {
		return nil
	}
	if err := command(context.Background(), t.program, t.args("system", "reset", "--force")...); err != nil {
		return fmt.Errorf("empty Podman's store: %w", err)
	}
	return nil
}
