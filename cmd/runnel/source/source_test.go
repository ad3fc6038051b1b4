package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/cmd/runnel/verb"
	rimage "runnel/image"
)

// newWorld is a daemon, and a command "put" that uploads and prints the image.
func newWorld(t *testing.T) *clitest.World {
	return clitest.New(t, func(e cli.Env) []*cobra.Command {
		frame := verb.NewFrame(e)
		cmd := &cobra.Command{Use: "put"}
		image := cmd.Flags().String("image", "", "")
		flags := Register(cmd.Flags())
		frame.Register(cmd, "image")
		cmd.RunE = frame.Checked(flags.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			if err := flags.Upload(ctx, e, r.Client); err != nil {
				return err
			}
			return frame.Write([]byte(*image))
		})
		return []*cobra.Command{cmd}
	})
}

// A directory on a base image is uploaded under its name, and is the same image
// until something in it changes.
func TestUploadOfADirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "My_Site")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "big"), make([]byte, 6<<20), 0o644)) // more than other bodies may have
	line := "put --source " + dir + " --no-build --base-image debian"
	first := w.Do(line)
	if first.Code != 0 || first.Stderr != "Uploading sources...\nDone.\n" || !strings.HasPrefix(first.Stdout, "source.localhost/my-site@sha256:") {
		t.Fatalf("%+v", first)
	}
	if again := w.Must(line); again != first.Stdout {
		t.Errorf("again: %s, want %s", again, first.Stdout)
	}
	must(t, os.Chmod(filepath.Join(dir, "big"), 0o600))
	if changed := w.Must(line); changed == first.Stdout {
		t.Error("the changed directory is the same image")
	}
	// Without a Dockerfile there is nothing to build anyway.
	w.Must("put --source " + dir + " --base-image debian")
}

func TestUploadIsRefused(t *testing.T) {
	w := newWorld(t)
	t.Setenv("PATH", t.TempDir())
	empty, built := directory(t, nil), directory(t, map[string]string{"Dockerfile": "FROM scratch"})
	odd := directory(t, map[string]string{".wh.x": ""})
	file := filepath.Join(built, "Dockerfile")
	w.Images.Fail("none", rimage.ErrNotFound)
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"--base-image x":                       {2, "--base-image: is about a directory: add --source DIR"},
		"--no-build":                           {2, "--no-build: is about a directory"},
		"--source /nosuch":                     {2, "--source /nosuch: no such file or directory"},
		"--source " + file:                     {2, "that is no directory"},
		"--source=":                            {2, "--source: want a directory"},
		"--source . --image x":                 {2, "--source: cannot stand beside --image"},
		"--source " + empty:                    {2, "there is no Dockerfile in it; add one, or lay the directory on an image as it is, with --no-build --base-image IMAGE"},
		"--source " + empty + " --no-build":    {2, "--base-image is missing"},
		"--source " + empty + " --base-image=": {2, "--base-image: want an image"},
		"--source " + empty + " --base-image " + file + " --no-build": {2, "--base-image " + file + ": that is a file"},
		"--source " + built:                             {2, "apt-get install buildah"},
		"--source " + built + " --base-image x":         {2, "add --no-build"},
		"--source " + built + " --base-image x --build": {2, "cannot stand beside --build"},
		"--source " + empty + " --base-image none":      {1, "none"},
		"--source " + empty + " --base-image A":         {1, "base image \"A\": not an image reference"},
		"--source " + odd + " --base-image x":           {1, ".wh.x: a name that begins with"},
	} {
		if got := w.Do("put " + line); got.Code != want.code || !strings.Contains(got.Stderr, want.says) || got.Stdout != "" {
			t.Errorf("%s: exit %d, want %d\n%s", line, got.Code, want.code, got.Stderr)
		}
	}
}

// What a Dockerfile says is built by the program that does so, which is left
// without the image.
func TestUploadOfABuild(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", t.TempDir())
	bin, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	builder := func(text string) {
		must(t, os.WriteFile(filepath.Join(bin, "buildah"), fmt.Appendf(nil, "#!/bin/sh\necho \"$@\" >> %s\n%s", log, text), 0o755))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dir := directory(t, map[string]string{"Dockerfile": "FROM scratch"})
	builder(`case $1 in
	build) echo STEP 1; echo sha256:abc > "$3";;
	push) echo "$3 of the archive" > "${4#oci-archive:}";;
	esac`)
	got := w.Do("put --source " + dir)
	if got.Code != 0 || !strings.HasPrefix(got.Stdout, "source.localhost/") || got.Stderr != "Building Container with buildah...\nSTEP 1\nUploading image...\nDone.\n" {
		t.Errorf("%+v", got)
	}
	text, err := os.ReadFile(log)
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], " --file "+dir+"/Dockerfile "+dir) || !strings.HasPrefix(lines[1], "push --quiet abc oci-archive:") || lines[2] != "rmi --force abc" {
		t.Errorf("buildah was told\n%s", text)
	}
	builder("echo it is broken >&2; exit 3")
	if got := w.Do("put --source " + dir); got.Code != 1 || !strings.Contains(got.Stderr, "it is broken\n") || !strings.Contains(got.Stderr, "buildah build: exit status 3") {
		t.Errorf("a build that fails: %+v", got)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "runnel-source-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
