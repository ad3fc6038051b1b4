package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/contract"
	"runnel/runtime/shim"
)

// withVolume is a container that sees a volume at path and runs a script.
func (k *keeper) withVolume(id string, size contract.Bytes, path, script string) *shim.CreateRequest {
	k.t.Helper()
	r := k.request(id, "sh", "-c", script)
	r.Volumes = []shim.Volume{{Size: size}}
	r.Containers[0].Mounts = []shim.Mount{{Path: path}}
	return r
}

// contract: VOL-1
func TestVolumeHasItsSize(t *testing.T) {
	k := newKeeper(t)
	r := k.withVolume("size", 4*contract.MiB, "/made/for/it", `
		cd /made/for/it
		df -k . | grep -o " 4096 "
		grep -o "/made/for/it tmpfs rw,nosuid,nodev,[^ ]*" /proc/mounts
		dd if=/dev/zero of=x bs=1M count=3 2>/dev/null && echo fits
		dd if=/dev/zero of=y bs=1M count=3 2>&1 | grep -o "No space left"
		stat -c "%a %u" .
		rm x y && cat /bin/busybox > sh && busybox chmod 755 sh && ./sh -c "echo executes"`)
	r.Containers[0].User = "app"
	e, out := k.run(r)
	for _, want := range []string{" 4096 ", "rw,nosuid,nodev", "F fits", "F No space left", "F 1777 0", "F executes"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q (exit %+v) in:\n%s", want, e, out)
		}
	}
}

// contract: ATK-7
// What is made for a mount in the volume is for everybody, and stays beneath it.
func TestVolumeSubPathStaysBeneathIt(t *testing.T) {
	k := newKeeper(t)
	r := k.withVolume("sub", contract.MiB, "/all", `
		touch /one/made-in-one && ls /all/a/b
		touch /two/made-in-two && ls /all/etc
		ls /all/a/b/nested`)
	r.Containers[0].User = "app"
	r.Containers[0].Mounts = append(r.Containers[0].Mounts,
		shim.Mount{Path: "/one/nested", SubPath: "deep"}, // before what it is in
		shim.Mount{Path: "/one", SubPath: "a/b"},
		shim.Mount{Path: "/two", SubPath: "../../etc/"},
	)
	e, out := k.run(r)
	for _, want := range []string{"F made-in-one", "F nested", "F made-in-two"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q (exit %+v) in:\n%s", want, e, out)
		}
	}
}

// contract: ATK-3, ATK-5, ATK-7
// Links in the image lead nowhere but into the image, and to nothing that is the
// kernel's.
func TestVolumeIsMountedInTheImageAlone(t *testing.T) {
	k := newKeeper(t)
	for name, target := range map[string]string{
		"out": "../../../../../../tmp/there", "procs": "/proc", "kernel": "/proc/sys", "devices": "dev/..//dev", "root": "/", "inside": "/srv/real",
	} {
		if err := os.Symlink(target, filepath.Join(k.layer, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"tmp/there", "srv/real"} {
		if err := os.MkdirAll(filepath.Join(k.layer, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"/out": "/tmp/there", "/inside/": "/srv/real", "/inside/new": "/srv/real/new", "/a/../b": "/b"} {
		r := k.withVolume("linked", contract.MiB, path, `grep -o "`+want+` tmpfs" /proc/mounts`)
		if e, out := k.run(r); e.Code != 0 {
			t.Errorf("%s: exit %+v, log:\n%s", path, e, out)
		}
	}
	for _, path := range []string{"/", "/proc", "/proc/self", "/sys/fs", "/dev/shm", "/x/../dev", "/proc/../sys", "/procs", "/kernel", "/devices/x", "/root", "/proc/x", "/etc/passwd", "/etc/passwd/x"} {
		r := k.withVolume("refused", contract.MiB, path, "true")
		if err := k.Create(t.Context(), r, nil); !errors.Is(err, shim.ErrUnstartable) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat("/tmp/there"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory of the host's: %v", err)
	}
	for _, spoil := range []func(*shim.CreateRequest){
		func(r *shim.CreateRequest) { r.Volumes[0].Size = 0 },
		func(r *shim.CreateRequest) { r.Containers[0].Mounts[0].Volume = 1 },
		func(r *shim.CreateRequest) { r.Containers[0].Mounts[0].Path = "relative" },
		func(r *shim.CreateRequest) { r.Containers = append(r.Containers, r.Containers[0]) },
		func(r *shim.CreateRequest) { r.Containers = nil },
	} {
		r := k.withVolume("refused", contract.MiB, "/v", "true")
		spoil(r)
		if err := k.Create(t.Context(), r, nil); err == nil || errors.Is(err, shim.ErrUnstartable) {
			t.Errorf("%v", err)
		}
	}
}
