// Package source makes an image of a directory, for the verbs that deploy one:
// the directory as a layer on a base image, without a build, or what the
// Dockerfile in it says, if the host has a builder. It needs what the verbs need
// to reach the daemon, which stores the image.
package source

import (
	"context"
	"errors"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
)

// Options say what is to become an image.
type Options struct {
	// Dir is the directory, on this machine.
	Dir string
	// BaseImage is what the directory is laid on; empty if there is a Dockerfile
	// in it that says so.
	BaseImage string
}

// Upload makes the image and leaves it with the daemon. It returns the reference
// to deploy: one that the daemon resolves by itself, pinned by a digest. It tells
// on standard error what it does meanwhile.
func Upload(context.Context, cli.Env, *client.Client, Options) (reference string, err error) {
	return "", errors.New("not built yet")
}
