package rig

import (
	"os"
	"path/filepath"
	"sync"

	"runnel/image/imagetest"
)

// Images are those that several tests read and none changes, each made at its
// first use. The zero value has none yet. It may be used by several goroutines.
type Images struct {
	mu   sync.Mutex
	dir  string            // guarded by mu
	refs map[string]string // guarded by mu
}

// Remove takes them away, at the end of everything.
func (s *Images) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // in a temporary directory; nobody is left to tell
	}
}

// Image is the reference of the image called name, made by build at first use.
func (h *Host) Image(name string, build func() imagetest.Build) string {
	h.Helper()
	s := h.images
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref := s.refs[name]; ref != "" {
		return ref
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "runnel-integration-")
		if err != nil {
			h.Fatal(err)
		}
		s.dir, s.refs = dir, map[string]string{}
	}
	file := filepath.Join(s.dir, name+".tar")
	if _, err := build().WriteOCIArchive(file, "latest"); err != nil {
		h.Fatalf("make image %s: %v", name, err)
	}
	s.refs[name] = "oci-archive:" + file
	return s.refs[name]
}

// Shell is an image of busybox whose entrypoint is "sh -c": its argument is a
// script.
func (h *Host) Shell() string {
	h.Helper()
	return h.Image("shell", func() imagetest.Build {
		return imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(h)},
			Config: ShellConfig(),
		}
	})
}

// ShellConfig is the configuration of such an image.
func ShellConfig() imagetest.Config {
	return imagetest.Config{
		Entrypoint: []string{"/bin/sh", "-c"},
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	}
}

// Build writes an image for this test only and returns its reference. Its layers
// are not compressed: that would take longer than all the rest.
func (h *Host) Build(b imagetest.Build) string {
	h.Helper()
	b.Compression = imagetest.None
	file := filepath.Join(h.TempDir(), "image.tar")
	if _, err := b.WriteOCIArchive(file, "latest"); err != nil {
		h.Fatalf("make image: %v", err)
	}
	return "oci-archive:" + file
}

// Script is a task of the shell image: the flags before it, and the script.
// Commas mean nothing in it.
func (h *Host) Script(text string, flags ...string) []string {
	return append([]string{"--image", h.Shell(), "--args", "^\x01^" + text}, flags...)
}
