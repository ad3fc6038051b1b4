package api

import (
	"path"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// reservedVolume is a volume's name that Cloud Run keeps for itself.
const reservedVolume = "cloudsql"

// volumes checks the volumes of a revision: only those in memory can be had.
func (c *checker) volumes(at string, all []*runpb.Volume) {
	names := map[string]bool{}
	for i, v := range all {
		at := index(at, i)
		name := v.GetName()
		_, sql := v.GetVolumeType().(*runpb.Volume_CloudSqlInstance)
		switch {
		case !isDNSLabel(name):
			c.add(at+".name", "%q is not a volume's name: want at most 63 lower-case letters, digits and hyphens, beginning with a letter", name)
		case names[name]:
			c.add(at+".name", "%q is the name of another volume already", name)
		case name == reservedVolume && !sql:
			c.add(at+".name", "%q is reserved for Cloud SQL", name)
		}
		names[name] = true
		switch t := v.GetVolumeType().(type) {
		case *runpb.Volume_EmptyDir:
			c.emptyDir(at+".emptyDir", t.EmptyDir)
		case *runpb.Volume_Secret:
			c.add(at+".secret", "secrets are not supported yet: want emptyDir")
		case *runpb.Volume_CloudSqlInstance:
			c.add(at+".cloudSqlInstance", "Cloud SQL is not supported: want emptyDir")
		case *runpb.Volume_Nfs:
			c.add(at+".nfs", "NFS is not supported yet: want emptyDir")
		case *runpb.Volume_Gcs:
			c.add(at+".gcs", "Cloud Storage is not supported: want emptyDir")
		default:
			c.add(at, "does not say what the volume is: want emptyDir")
		}
	}
}

// emptyDir checks a volume in memory.
func (c *checker) emptyDir(at string, v *runpb.EmptyDirVolumeSource) {
	switch v.GetMedium() {
	case runpb.EmptyDirVolumeSource_MEDIUM_UNSPECIFIED, runpb.EmptyDirVolumeSource_MEMORY:
	default:
		c.add(at+".medium", "%v is not supported: want MEMORY", v.GetMedium())
	}
	if s := v.GetSizeLimit(); s != "" {
		size, err := contract.ParseBytes(s)
		switch {
		case err != nil:
			c.check(at+".sizeLimit", err)
		case size <= 0 || size > contract.MaxMemory:
			c.add(at+".sizeLimit", "%s is not possible: want more than nothing and at most %s", s, contract.MaxMemory)
		}
	}
}

// volumeMounts checks where a container sees volumes.
func (c *checker) volumeMounts(at string, mounts []*runpb.VolumeMount, volumes []*runpb.Volume) {
	places := map[string]bool{}
	for i, m := range mounts {
		at := index(at, i)
		if !slices.ContainsFunc(volumes, func(v *runpb.Volume) bool { return v.GetName() == m.GetName() }) {
			c.add(at+".name", "there is no volume %q", m.GetName())
		}
		place := path.Clean(m.GetMountPath())
		switch where := m.GetMountPath(); {
		case !strings.HasPrefix(where, "/") || strings.ContainsAny(where, ":\x00") || len(where) > maxPath:
			c.add(at+".mountPath", "%q is not a place to mount a volume: want an absolute path without a colon", where)
		case ofSystem(place):
			c.add(at+".mountPath", "%q belongs to the system: want another directory", where)
		case places[place]:
			c.add(at+".mountPath", "another volume is mounted at %q already", where)
		}
		places[place] = true
		if sub := m.GetSubPath(); sub != "" && (sub[0] == '/' || slices.Contains(strings.Split(sub, "/"), "..") || strings.Contains(sub, "\x00")) {
			c.add(at+".subPath", "%q is not a directory of the volume: want a relative path without ..", sub)
		}
	}
}

// ofSystem reports whether nothing may be mounted over a directory.
func ofSystem(dir string) bool {
	if dir == "/" {
		return true
	}
	for _, d := range []string{"/proc", "/sys", "/dev"} {
		if dir == d || strings.HasPrefix(dir, d+"/") {
			return true
		}
	}
	return false
}
