package source

import (
	"context"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
)

// Flags are those of verbs that deploy a directory in place of an image. Nil are
// those of a verb that does not.
type Flags struct {
	set     *pflag.FlagSet
	options Options
	build   bool
	noBuild bool
}

// Register adds the flags to set, which has an --image: that is what they fill
// in.
func Register(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	set.StringVar(&f.options.Dir, "source", "", "`directory` to deploy in place of an image: its Dockerfile is built, or it is laid on --base-image as it is")
	set.StringVar(&f.options.BaseImage, "base-image", "", "`image` to lay the directory on, as its /workspace")
	set.BoolVar(&f.noBuild, "no-build", false, "build nothing, even if the directory has a Dockerfile")
	set.BoolVar(&f.build, "build", false, "build the directory's Dockerfile")
	_ = set.MarkHidden("build") // it is the opposite of what is shown, and the default
	return f
}

// Given reports whether a directory is to be deployed.
func (f *Flags) Given() bool { return f != nil && f.set.Changed("source") }

// Name is what the directory is called, "" if there is none.
func (f *Flags) Name() string {
	if !f.Given() {
		return ""
	}
	return f.options.Name()
}

// Check refuses what contradicts itself, and a directory of which no image can be
// made.
func (f *Flags) Check() error {
	if !f.Given() {
		for _, name := range []string{"base-image", "no-build", "build"} {
			if f.set.Changed(name) {
				return cli.Usagef("--%s: is about a directory: add --source DIR", name)
			}
		}
		return nil
	}
	for _, name := range []string{"image", "container"} {
		if flag := f.set.Lookup(name); flag != nil && flag.Changed {
			return cli.Usagef("--source: cannot stand beside --%s", name)
		}
	}
	switch {
	case f.options.Dir == "":
		return cli.Usagef("--source: want a directory, such as .")
	case f.set.Changed("base-image") && f.options.BaseImage == "":
		return cli.Usagef("--base-image: want an image, such as python:3-slim")
	case f.build && f.noBuild:
		return cli.Usagef("--build: cannot stand beside --no-build")
	case f.noBuild && f.options.BaseImage == "":
		return cli.Usagef("--base-image is missing: without a build the directory has to be laid on an image, such as python:3-slim")
	case f.build && f.options.BaseImage != "":
		return cli.Usagef("--base-image: cannot stand beside --build: the Dockerfile says what it builds on")
	}
	if err := f.options.Check(); err != nil {
		return err
	}
	if f.options.BaseImage != "" && !f.noBuild && f.options.hasDockerfile() {
		return cli.Usagef("--base-image: %s has a Dockerfile, which says itself what it builds on: leave --base-image away to build it, or add --no-build to lay the directory on the image as it is", f.options.Dir)
	}
	return cli.CheckImageOf("base-image", f.options.BaseImage)
}

// Upload makes the image, if a directory is to be deployed, and sets --image to
// it.
func (f *Flags) Upload(ctx context.Context, e cli.Env, c *client.Client) error {
	if !f.Given() {
		return nil
	}
	reference, err := Upload(ctx, e, c, f.options)
	if err != nil {
		return err
	}
	return f.set.Set("image", reference)
}
