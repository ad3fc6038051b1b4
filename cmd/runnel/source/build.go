package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
)

// builder is the program that makes images of Dockerfiles, and builderPackage
// the one of Debian's that has it.
const builder, builderPackage = "buildah", "buildah"

// builderPatience is how long a builder may take to end that was asked to.
const builderPatience = 10 * time.Second

// build has the builder make the image that a Dockerfile describes, on this
// machine, and uploads it. What the builder prints goes to standard error.
func build(ctx context.Context, e cli.Env, c *client.Client, o Options, query url.Values) (_ string, err error) {
	program, err := exec.LookPath(builder)
	if err != nil {
		return "", cli.Usagef("--source %s: building its %s takes %s, which this machine does not have: install it (apt-get install %s), or lay the directory on an image as it is, with --no-build --base-image IMAGE",
			o.Dir, dockerfile, builder, builderPackage)
	}
	dir, err := os.MkdirTemp("", "runnel-source-")
	if err != nil {
		return "", fmt.Errorf("cannot build: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &building{env: e, program: program, id: filepath.Join(dir, "id"), archive: filepath.Join(dir, "image.tar")}
	fmt.Fprintf(e.Stderr, "Building Container with %s...\n", builder)
	if err := b.run(ctx, o.Dir); err != nil {
		var stopped *cli.Interrupted
		if errors.As(context.Cause(ctx), &stopped) {
			return "", stopped
		}
		return "", err
	}
	return send(ctx, e, c, "Uploading image...", query, func(w io.Writer) error { return copyFile(w, b.archive) })
}

// building is an image being built.
type building struct {
	env     cli.Env
	program string
	// id is the file that gets the image's ID, archive the one that gets the
	// image.
	id, archive string
}

// run builds, saves the image as an archive, and removes it from where the builder
// keeps its images.
func (b *building) run(ctx context.Context, dir string) error {
	if err := b.do(ctx, "build", "--iidfile", b.id, "--file", filepath.Join(dir, dockerfile), dir); err != nil {
		return err
	}
	text, err := os.ReadFile(b.id)
	if err != nil {
		return fmt.Errorf("%s has told no image: %w", builder, cli.Bare(err))
	}
	image := strings.TrimPrefix(strings.TrimSpace(string(text)), "sha256:")
	err = b.do(ctx, "push", "--quiet", image, "oci-archive:"+b.archive)
	// It is not wanted here any more, however that went.
	return errors.Join(err, b.do(context.WithoutCancel(ctx), "rmi", "--force", image))
}

// do runs the builder.
func (b *building) do(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, b.program, args...)
	cmd.Stdout, cmd.Stderr = b.env.Stderr, b.env.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = builderPatience
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", builder, args[0], err)
	}
	return nil
}

// copyFile writes a file into w.
func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("%s has saved no image: %w", builder, cli.Bare(err))
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}
