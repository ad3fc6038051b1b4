// Package source makes an image of a directory, for the verbs that deploy one:
// the directory as a layer on a base image, without a build, or what the
// Dockerfile in it says, if the host has a builder. It needs what the verbs need
// to reach the daemon, which stores the image.
package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"runnel/api/source"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/stages"
)

// Options say what is to become an image.
type Options struct {
	// Dir is the directory, on this machine.
	Dir string
	// BaseImage is what the directory is laid on; empty if there is a Dockerfile
	// in it that says so.
	BaseImage string
}

// dockerfile is the file that says how an image is built.
const dockerfile = "Dockerfile"

// Check refuses what no image can be made of, before a daemon is asked. Its
// errors are mistakes in how the program was called.
func (o Options) Check() error {
	info, err := os.Stat(o.Dir)
	switch {
	case err != nil:
		return cli.Usagef("--source %s: %v", o.Dir, cli.Bare(err))
	case !info.IsDir():
		return cli.Usagef("--source %s: that is no directory", o.Dir)
	case o.BaseImage == "" && !o.hasDockerfile():
		return cli.Usagef("--source %s: there is no %s in it; add one, or lay the directory on an image as it is, with --no-build --base-image IMAGE", o.Dir, dockerfile)
	}
	return nil
}

// hasDockerfile reports whether the directory says how it is built.
func (o Options) hasDockerfile() bool {
	_, err := os.Lstat(filepath.Join(o.Dir, dockerfile))
	return !errors.Is(err, fs.ErrNotExist)
}

// Name is how the image is called: after the directory.
func (o Options) Name() string {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		dir = o.Dir // it is for people to read
	}
	return cli.NameOf("source", filepath.Base(dir))
}

// Upload makes the image and leaves it with the daemon. It returns the reference
// to deploy: one that the daemon resolves by itself, pinned by a digest. It tells
// on standard error what it does meanwhile.
func Upload(ctx context.Context, e cli.Env, c *client.Client, o Options) (reference string, err error) {
	if err := o.Check(); err != nil {
		return "", err
	}
	query := url.Values{"name": {o.Name()}}
	if o.BaseImage == "" {
		return build(ctx, e, c, o, query)
	}
	query.Set("base", o.BaseImage)
	ignored, err := readIgnored(o.Dir)
	if err != nil {
		return "", err
	}
	return send(ctx, e, c, "Uploading sources...", query, func(w io.Writer) error { return pack(ctx, w, o.Dir, ignored) })
}

// send uploads what write writes.
func send(ctx context.Context, e cli.Env, c *client.Client, header string, query url.Values, write func(io.Writer) error) (string, error) {
	tracker := stages.New(e, header)
	if base := query.Get("base"); base != "" {
		tracker.Note("waiting for " + base)
	}
	reference, err := stream(ctx, c, query, &noted{tracker: tracker}, write)
	var stopped *cli.Interrupted
	switch {
	case err == nil:
		tracker.Close(stages.Done, "Done.")
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		return "", stopped
	default:
		tracker.Close(stages.Failed, "Failed.")
	}
	return reference, err
}

// stream has write write while the daemon reads, once it wants something.
func stream(ctx context.Context, c *client.Client, query url.Values, n *noted, write func(io.Writer) error) (string, error) {
	r, w := io.Pipe()
	n.r = r
	written := make(chan error, 1)
	go func() {
		err := write(w)
		_ = w.CloseWithError(err) // never fails
		written <- err
	}()
	resp, err := c.Stream(ctx, source.Path+"?"+query.Encode(), n)
	_ = n.Close() // never fails
	if werr := <-written; werr != nil && !errors.Is(werr, errRefused) {
		return "", errors.Join(werr, closed(resp))
	}
	if err != nil {
		return "", err
	}
	var answer source.Answer
	derr := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer)
	if err := errors.Join(derr, resp.Body.Close()); err != nil || answer.Image == "" {
		return "", fmt.Errorf("the daemon's answer to an upload cannot be read: %v", err)
	}
	return answer.Image, nil
}

// maxAnswer is more than any answer, in bytes.
const maxAnswer = 1 << 16

// errRefused is what a writer gets whose reader needs no more.
var errRefused = errors.New("the daemon takes no more")

// closed closes the body of an answer that nobody reads.
func closed(resp *http.Response) error {
	if resp == nil {
		return nil
	}
	return resp.Body.Close()
}
