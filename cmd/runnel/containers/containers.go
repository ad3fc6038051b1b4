// Package containers is the flags about the containers of an instance and the
// volumes they share, as services and worker pools have them: which image, how
// much of the host, what environment, in which order, and how each is asked
// whether it is well. They are read, checked, and applied to the containers as
// they are. It is pure but for the files of environment variables that flags may
// name.
package containers

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// Of says whose containers the flags are about.
type Of struct {
	// Noun is what messages call it, such as service.
	Noun string
	// TakesRequests says that one of the containers takes requests, so that there
	// are flags about its port and about when it is ready for them.
	TakesRequests bool
}

// Flags are those about containers and volumes. Only those that were given say
// anything.
type Flags struct {
	of      Of
	groups  groups
	remove  []string
	volumes volumes
	applied map[int]*group // by the container's place, since Apply
}

// Register adds the flags to set, which must be parsed before Apply.
func Register(set *pflag.FlagSet, of Of) *Flags {
	f := &Flags{of: of}
	f.groups.register(set, of)
	set.StringArrayVar(&f.remove, "remove-containers", nil, "containers to remove, `NAME,...`")
	f.volumes.register(set)
	return f
}

// Check refuses what contradicts itself or what no container can be.
func (f *Flags) Check() error {
	if err := f.groups.check(); err != nil {
		return err
	}
	return f.volumes.check()
}

// Image is the image of the container that has no name or, if that has none, of
// the first that has one; "" if none was given.
func (f *Flags) Image() string {
	for _, image := range f.Images() {
		return image
	}
	return ""
}

// Images are all images that were given.
func (f *Flags) Images() (images []string) {
	for _, g := range f.groups.given() {
		if g.image != "" {
			images = append(images, g.image)
		}
	}
	return images
}

// CheckImages refuses a deploy without an image, unless a directory is deployed
// in place of one, and a file in place of one.
func (f *Flags) CheckImages(directory bool) error {
	images := f.Images()
	if len(images) == 0 && !directory {
		return cli.Usagef("--image is missing: name an image, such as debian:stable-slim, or a directory with --source")
	}
	for _, image := range images {
		if err := cli.CheckImage(image); err != nil {
			return err
		}
	}
	return nil
}

// Apply is all with the changes, which Check has found in order: containers are
// removed, changed or added. A UsageError says what cannot be done to these.
func (f *Flags) Apply(all []*runpb.Container) ([]*runpb.Container, error) {
	for _, name := range cli.JoinLists(f.remove) {
		i := slices.IndexFunc(all, func(c *runpb.Container) bool { return c.GetName() == name })
		if i < 0 {
			return nil, cli.Usagef("--remove-containers %s: the %s has no container of that name", name, f.of.Noun)
		}
		all = slices.Delete(all, i, i+1)
	}
	f.applied = map[int]*group{}
	for _, g := range f.groups.given() {
		i, err := g.place(all)
		if err != nil {
			return nil, err
		}
		if i == len(all) {
			all = append(all, &runpb.Container{Name: g.name})
		}
		f.applied[i] = g
		if err := g.apply(all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ApplyVolumes is all with the changes: volumes that are added replace those of
// their name.
func (f *Flags) ApplyVolumes(all []*runpb.Volume) ([]*runpb.Volume, error) {
	return f.volumes.apply(all)
}

// IsFresh reports whether Apply has added the container of a place.
func (f *Flags) IsFresh(i int) bool { return f.applied[i] != nil && f.applied[i].fresh }

// FlagOf is how a field below a template, such as containers[0].image, is named
// on the command line, with the value that was given; "" where no flag that was
// given stands for it. It knows containers once Apply was called.
func (f *Flags) FlagOf(path string) string {
	if found := regexp.MustCompile(`^containers\[(\d+)\]\.?(.*)$`).FindStringSubmatch(path); found != nil {
		i, err := strconv.Atoi(found[1])
		if g := f.applied[i]; err == nil && g != nil {
			return g.flagOf(found[2])
		}
		return ""
	}
	if strings.HasPrefix(path, "volumes") && f.volumes.set.Changed("add-volume") {
		return "--add-volume"
	}
	return ""
}

// whole reads a whole number that is not negative.
func whole(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("want a whole number")
	}
	return int32(n), nil
}
