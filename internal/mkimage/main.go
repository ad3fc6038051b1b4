// Command mkimage makes a container image from directories, without a registry
// or a daemon. It exists for the demonstration and for trying things out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"runnel/image/imagetest"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command line.
type options struct {
	out, tag string
	busybox  bool
	build    imagetest.Build
}

// run returns the exit code: 1 for a failure, 2 for bad usage.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mkimage:", err)
		return 2
	}
	digest, err := o.write()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mkimage: cannot make the image:", err)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, digest)
	return 0
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("mkimage", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.out, "out", "", "where to write: an OCI archive if it ends in .tar, else an OCI layout `directory`")
	flags.StringVar(&o.tag, "tag", "latest", "the image's `tag` in the layout")
	flags.BoolVar(&o.busybox, "busybox", false, "make the lowest layer a static busybox (Debian's busybox-static)")
	flags.Func("tree", "`directory` that becomes a layer; repeat for more, lowest first", func(dir string) error {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = errors.New("not a directory")
		}
		o.build.Layers = append(o.build.Layers, imagetest.Layer{Tree: dir})
		return err
	})
	flags.Func("compression", "gzip (default), zstd or none", func(s string) error {
		known := map[string]imagetest.Compression{"gzip": imagetest.Gzip, "zstd": imagetest.Zstd, "none": imagetest.None}
		c, ok := known[s]
		if !ok {
			return errors.New("unknown")
		}
		o.build.Compression = c
		return nil
	})
	flags.Func("entrypoint", "ENTRYPOINT, its `words` separated by commas", words(&o.build.Config.Entrypoint))
	flags.Func("cmd", "CMD, its `words` separated by commas", words(&o.build.Config.Cmd))
	flags.Func("env", "`NAME=value` to be set; repeat for more", func(s string) error {
		if name, _, ok := strings.Cut(s, "="); !ok || name == "" {
			return errors.New("want NAME=value")
		}
		o.build.Config.Env = append(o.build.Config.Env, s)
		return nil
	})
	flags.StringVar(&o.build.Config.User, "user", "", "`user` to run as")
	flags.StringVar(&o.build.Config.WorkingDir, "workdir", "", "working `directory`")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return o, o.check(flags.NArg())
}

func words(to *[]string) func(string) error {
	return func(s string) error {
		*to = strings.Split(s, ",")
		return nil
	}
}

func (o *options) check(extra int) error {
	switch {
	case o.out == "":
		return errors.New("-out is missing")
	case extra > 0:
		return errors.New("only flags are taken")
	case len(o.build.Layers) == 0 && !o.busybox:
		return errors.New("give -tree or -busybox")
	}
	return nil
}

// write makes the image and returns its digest.
func (o *options) write() (digest string, err error) {
	if o.busybox {
		base, err := imagetest.Busybox()
		if err != nil {
			return "", err
		}
		o.build.Layers = append([]imagetest.Layer{base}, o.build.Layers...)
	}
	write := o.build.WriteOCI
	if strings.HasSuffix(o.out, ".tar") {
		write = o.build.WriteOCIArchive
	}
	a, err := write(o.out, o.tag)
	if err != nil {
		return "", err
	}
	return a.Descriptor.Digest, nil
}
