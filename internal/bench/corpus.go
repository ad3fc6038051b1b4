package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the images in the registry.
const (
	smallName  = "small"
	largeName  = "large"
	serverName = "server"
)

// The large image: files of this host, because made-up ones compress and unpack
// like nothing real.
const (
	largeLayers = 4
	// layerBytes is how much a layer holds, unpacked.
	layerBytes = 130 << 20
	// largeFile is left out, so that one file does not make a layer.
	largeFile = 20 << 20
)

// smallImage is busybox under the names of the programs the tools run.
func smallImage() (*image, error) {
	dir, err := os.MkdirTemp("", "runnel-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := busyboxTree(dir); err != nil {
		return nil, err
	}
	w := newLayerWriter()
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return w.add(strings.TrimPrefix(path, dir+"/"), path, info)
	})
	if err != nil {
		return nil, err
	}
	l, err := w.finish()
	return &image{layers: []layer{l}}, err
}

// serverImage is base and the program of services.
func serverImage(base *image, program string) (*image, error) {
	info, err := os.Stat(program)
	if err != nil {
		return nil, fmt.Errorf("%w; make build-bench makes it", err)
	}
	w := newLayerWriter()
	if err := w.add("server", program, info); err != nil {
		return nil, err
	}
	l, err := w.finish()
	return &image{layers: append(slices.Clone(base.layers), l), command: "/server"}, err
}

// busyboxTree writes a root file system with nothing but busybox.
func busyboxTree(dir string) error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), data, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"sh", "true"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return err
		}
	}
	return nil
}

// errFull ends the walk over the host's files.
var errFull = errors.New("enough files")

// largeImage is base and layers of files of this host's /usr.
func largeImage(base *image) (*image, error) {
	m := &image{layers: base.layers}
	w := newLayerWriter()
	err := filepath.WalkDir("/usr", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > largeFile || info.Mode().Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
			return err
		}
		if err := w.add(strings.TrimPrefix(path, "/"), path, info); err != nil {
			return err
		}
		if w.l.unpacked < layerBytes {
			return nil
		}
		l, err := w.finish()
		if err != nil {
			return err
		}
		m.layers = append(m.layers, l)
		w = newLayerWriter()
		if len(m.layers) == 1+largeLayers {
			return errFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	return m, nil
}
