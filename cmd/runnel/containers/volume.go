package containers

import (
	"fmt"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// volumes are the flags about volumes that an instance's containers share.
type volumes struct {
	set         *pflag.FlagSet
	add, remove []string
	clear       bool
}

// register adds the flags to set.
func (v *volumes) register(set *pflag.FlagSet) {
	v.set = set
	set.StringArrayVar(&v.add, "add-volume", nil, "volume that containers can mount, `name=NAME,type=in-memory,size-limit=SIZE`")
	set.StringArrayVar(&v.remove, "remove-volume", nil, "volumes to remove, `NAME,...`")
	set.BoolVar(&v.clear, "clear-volumes", false, "remove all volumes")
}

// check reads the flags.
func (v *volumes) check() error {
	for _, text := range v.add {
		if _, err := parseVolume(text); err != nil {
			return cli.Usagef("--add-volume %s: %v", text, err)
		}
	}
	return nil
}

// apply changes volumes: those that are added replace those of their name.
func (v *volumes) apply(all []*runpb.Volume) ([]*runpb.Volume, error) {
	if v.clear {
		all = nil
	}
	gone := cli.JoinLists(v.remove)
	all = slices.DeleteFunc(all, func(x *runpb.Volume) bool { return slices.Contains(gone, x.GetName()) })
	for _, text := range v.add {
		volume, err := parseVolume(text)
		if err != nil {
			return nil, cli.Usagef("--add-volume %s: %v", text, err)
		}
		if i := slices.IndexFunc(all, func(x *runpb.Volume) bool { return x.GetName() == volume.GetName() }); i >= 0 {
			all[i] = volume
			continue
		}
		all = append(all, volume)
	}
	return all, nil
}

// parseVolume reads name=NAME,type=in-memory,size-limit=SIZE.
func parseVolume(text string) (*runpb.Volume, error) {
	values, err := dict(text, "name", "type", "size-limit")
	if err != nil {
		return nil, err
	}
	switch {
	case values["name"] == "":
		return nil, fmt.Errorf("name is missing: want name=NAME,type=in-memory,size-limit=SIZE")
	case values["type"] == "":
		return nil, fmt.Errorf("type is missing: want type=in-memory")
	case values["type"] != "in-memory":
		return nil, fmt.Errorf("volumes of type %s are not supported: want type=in-memory", values["type"])
	}
	memory := &runpb.EmptyDirVolumeSource{Medium: runpb.EmptyDirVolumeSource_MEMORY, SizeLimit: values["size-limit"]}
	return &runpb.Volume{Name: values["name"], VolumeType: &runpb.Volume_EmptyDir{EmptyDir: memory}}, nil
}

// checkMounts reads the flags about mounts.
func (g *group) checkMounts() error {
	for _, text := range g.mounts {
		if _, err := parseMount(text); err != nil {
			return cli.Usagef("%s--add-volume-mount %s: %v", g.where(), text, err)
		}
	}
	return nil
}

// applyMounts changes mounts: those that are added replace those of their path.
func (g *group) applyMounts(all []*runpb.VolumeMount) ([]*runpb.VolumeMount, error) {
	if g.clearMounts {
		all = nil
	}
	gone := cli.JoinLists(g.unmounts)
	all = slices.DeleteFunc(all, func(m *runpb.VolumeMount) bool { return slices.Contains(gone, m.GetMountPath()) })
	for _, text := range g.mounts {
		mount, err := parseMount(text)
		if err != nil {
			return nil, cli.Usagef("%s--add-volume-mount %s: %v", g.where(), text, err)
		}
		all = slices.DeleteFunc(all, func(m *runpb.VolumeMount) bool { return m.GetMountPath() == mount.GetMountPath() })
		all = append(all, mount)
	}
	return all, nil
}

// parseMount reads volume=NAME,mount-path=PATH.
func parseMount(text string) (*runpb.VolumeMount, error) {
	values, err := dict(text, "volume", "mount-path")
	if err != nil {
		return nil, err
	}
	if values["volume"] == "" || values["mount-path"] == "" {
		return nil, fmt.Errorf("want volume=NAME,mount-path=PATH")
	}
	return &runpb.VolumeMount{Name: values["volume"], MountPath: values["mount-path"]}, nil
}

// dict reads KEY=VALUE,... with keys of which each may be there once.
func dict(text string, keys ...string) (map[string]string, error) {
	values := map[string]string{}
	pairs, err := cli.Pairs("", []string{text})
	if err != nil {
		return nil, fmt.Errorf("want a list of KEY=VALUE")
	}
	for _, p := range pairs {
		if !slices.Contains(keys, p.Name) {
			return nil, unknownKey(p.Name, keys)
		}
		if _, twice := values[p.Name]; twice {
			return nil, fmt.Errorf("%s is there twice", p.Name)
		}
		values[p.Name] = p.Value
	}
	return values, nil
}
