package server

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// volumes are an instance's directories in memory: a tmpfs each, in the shim's
// mount namespace for as long as the containers are being created. Each container
// has mounts of its own by then, and the memory is freed with the last of them.
type volumes struct {
	// dir is where they are mounted.
	dir string
	// mounted are those that are, by their place.
	mounted []*root
}

// volumesDir is where the volumes of an instance are mounted; no container has a
// directory of such a name.
func (s *Server) volumesDir(id string) string { return filepath.Join(s.scratch, id+".volumes") }

// mount mounts what r asks for. The caller must detach, also on failure.
func (v *volumes) mount(r *shim.CreateRequest) error {
	if len(r.Volumes) == 0 {
		return nil
	}
	if err := os.Mkdir(v.dir, 0o700); err != nil {
		return err
	}
	for n, want := range r.Volumes {
		if err := v.add(filepath.Join(v.dir, strconv.Itoa(n)), int64(want.Size)); err != nil {
			return fmt.Errorf("mount volume %d: %w", n, err)
		}
	}
	// Before the containers, which would be at it at the same time.
	for n := range r.Containers {
		for _, m := range r.Containers[n].Mounts {
			made, err := v.mounted[m.Volume].mkdir(subPath(m), 0o1777)
			if err != nil {
				return fmt.Errorf("make %s in volume %d: %w", m.SubPath, m.Volume, err)
			}
			_ = made.Close() // a directory, not written to
		}
	}
	return nil
}

// add mounts one volume of the given size in bytes.
func (v *volumes) add(target string, size int64) error {
	if err := os.Mkdir(target, 0o700); err != nil {
		return err
	}
	options := fmt.Sprintf("size=%d,nr_inodes=%d,mode=1777", size, max(size/minInode, 2))
	if err := unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return err
	}
	dir, err := os.OpenFile(target, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errors.Join(err, unix.Unmount(target, unix.MNT_DETACH))
	}
	v.mounted = append(v.mounted, &root{path: target, dir: dir})
	return nil
}

// subPath is the directory of a volume that m shows, beneath the volume.
func subPath(m shim.Mount) string { return path.Clean("/" + m.SubPath) }

// detach takes the volumes out of the shim's mount namespace.
func (v *volumes) detach() error {
	var errs []error
	for _, r := range v.mounted {
		errs = append(errs, r.dir.Close(), unix.Unmount(r.path, unix.MNT_DETACH))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("detach volumes: %w", err)
	}
	return os.RemoveAll(v.dir) // empty directories
}

// placeVolumes has the container see the volumes it mounts, the outer of two that
// are in each other first.
func (c *creation) placeVolumes() error {
	mounts := slices.SortedStableFunc(slices.Values(c.request.Mounts), func(a, b shim.Mount) int {
		return cmp.Compare(len(path.Clean(a.Path)), len(path.Clean(b.Path)))
	})
	for _, m := range mounts {
		target, err := c.root.mountPoint(m.Path)
		if err != nil {
			return err
		}
		c.request.Spec.Mounts = append(c.request.Spec.Mounts, specs.Mount{
			Destination: target, Type: "bind", Source: filepath.Join(c.volumes.mounted[m.Volume].path, subPath(m)),
			Options: []string{"bind", "nosuid", "nodev"},
		})
	}
	return nil
}

// mountPoint makes the directory p beneath the root, where it is missing, and
// returns where the image's links lead to from it.
func (r *root) mountPoint(p string) (string, error) {
	dir, err := r.mkdir(p, 0o755)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	at, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	if err != nil {
		return "", err
	}
	inside := cmp.Or(strings.TrimPrefix(at, r.path), "/")
	if !strings.HasPrefix(at, r.path) || kernels(inside) {
		return "", shim.Unstartable(fmt.Sprintf("a volume cannot be mounted at %s: %s is not the image's", p, inside))
	}
	return inside, nil
}

// kernels reports whether a clean path is the root itself, or in one of the file
// systems that every container has from the kernel.
func kernels(p string) bool {
	if p == "/" {
		return true
	}
	for _, dir := range []string{"/dev", "/proc", "/sys"} {
		if p == dir || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}
