package contract

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/internal/inside/look"
)

// contract: VOL-1
func TestVOL1VolumeIsFullAtItsSize(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	before := instanceOf(d, pairName)
	var w written
	act(d, pairName, "write", &w, "path", "/small/x", "mib", "20")
	if !strings.Contains(w.Error, "no space left on device") || w.Written != 16<<20 {
		t.Errorf("20 MiB into 16: %+v", w)
	}
	var ran struct{ Stdout string }
	act(d, pairName, "run", &ran, "arg", "rm", "arg", "/small/x")
	if now := instanceOf(d, pairName); now != before {
		t.Errorf("the instance is %s, was %s", now, before)
	}
}

// contract: VOL-2
func TestVOL2VolumeIsHalfOfTheMemoryUnlessToldOtherwise(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	main, side := pairSees(d, "mounts")
	// Half of 128 and 150 MiB.
	for path, r := range map[string]*look.Report{"/half": main, "/more": side} {
		if m := mountAt(r, path); m.Type != "tmpfs" || !strings.Contains(m.Super+",", "size=142336k,") {
			t.Errorf("%s is %+v, want 139 MiB", path, m)
		}
	}
}

// mountAt is what is mounted at a path.
func mountAt(r *look.Report, path string) (at look.Mount) {
	for _, m := range r.Mounts {
		if m.Point == path {
			at = m
		}
	}
	return at
}

// contract: VOL-3
func TestVOL3VolumeIsSharedAndMemoryOfWhoWrites(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	var w, before, after written
	var read struct{ Text string }
	act(d, pairName, "write", &w, "path", "/half/word", "text", "hello")
	if actBeside(d, "read", &read, "path", "/more/word"); read.Text != "hello" || w.Error != "" {
		t.Errorf("%q is read beside, after %+v", read.Text, w)
	}
	actBeside(d, "memory", &before, "mib", "0")
	act(d, pairName, "write", &w, "path", "/half/shared", "mib", "12")
	actBeside(d, "memory", &after, "mib", "0")
	if beside := (after.MemoryAfter - before.MemoryBefore) >> 20; w.grown() < 10 || beside > 5 {
		t.Errorf("12 MiB in the volume are %d MiB of who writes, and %d MiB beside", w.grown(), beside)
	}
	actBeside(d, "write", &w, "path", "/more/beside", "mib", "12")
	if w.grown() < 10 {
		t.Errorf("12 MiB written beside are %d MiB there", w.grown())
	}
	var ran struct{ Stdout string }
	act(d, pairName, "run", &ran, "arg", "rm", "arg", "/half/shared", "arg", "/half/beside")
}

// contract: VOL-7
func TestVOL7VolumesInPartAndReservedNames(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	volume := func(name string) *runpb.Volume {
		return &runpb.Volume{Name: name, VolumeType: &runpb.Volume_EmptyDir{EmptyDir: &runpb.EmptyDirVolumeSource{Medium: runpb.EmptyDirVolumeSource_MEMORY, SizeLimit: "16Mi"}}}
	}
	mounted := func(mounts ...*runpb.VolumeMount) *runpb.Container {
		k := limited("1", "128Mi")
		k.VolumeMounts = mounts
		return k
	}
	c.refused("a volume called cloudsql", c.service(mounted(), volume("cloudsql")), "volumes[0].name", "cloudsql")
	c.refused("a path with a colon", c.service(mounted(&runpb.VolumeMount{Name: "v", MountPath: "/a:b"}), volume("v")), "volumeMounts[0].mountPath", "/a:b")
	c.refused("what leads out of the volume", c.service(mounted(&runpb.VolumeMount{Name: "v", MountPath: "/a", SubPath: "../x"}), volume("v")), "volumeMounts[0].subPath")

	k := mounted(&runpb.VolumeMount{Name: "v", MountPath: "/whole"}, &runpb.VolumeMount{Name: "v", MountPath: "/part", SubPath: "a/b"})
	k.Image = d.Host.Inside()
	op, err := c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: here, ServiceId: nameOf(t), Service: &runpb.Service{
		Template:           &runpb.RevisionTemplate{Containers: []*runpb.Container{k}, Volumes: []*runpb.Volume{volume("v")}},
		InvokerIamDisabled: true,
	}})
	if err == nil {
		_, err = op.Wait(c.ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.CLI("services", "delete", nameOf(t), "--quiet") })
	var w written
	act(d, nameOf(t), "write", &w, "path", "/part/word", "text", "hello")
	if got := readIn(d, nameOf(t), "/whole/a/b/word"); got != "hello" || w.Error != "" {
		t.Errorf("%q is read in the whole volume, after %+v", got, w)
	}
}

// contract: VOL-8
func TestVOL8FlagsMakeAndMountVolumes(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	main, side := pairSees(d, "mounts")
	for path, r := range map[string]*look.Report{"/small": main, "/few": side} {
		if m := mountAt(r, path); m.Type != "tmpfs" || !strings.Contains(m.Super+",", "size=16384k,") || !m.Has("rw") {
			t.Errorf("%s is %+v, want a volume of 16 MiB", path, m)
		}
	}
	for _, bad := range [][]string{
		{"--add-volume", "name=v,type=disk"}, {"--add-volume", "type=in-memory"}, {"--add-volume-mount", "volume=v"}, {"--add-volume-mount", "volume=nothing,mount-path=/x"},
	} {
		r := d.CLI(append([]string{"deploy", nameOf(t), "--image", d.Host.Server(), "--allow-unauthenticated"}, bad...)...)
		if r.Code == 0 {
			t.Errorf("%q is taken\n%s", bad, r)
		}
	}
}
