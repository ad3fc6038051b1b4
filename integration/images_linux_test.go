package integration

import (
	"os"
	"path/filepath"
	"sync"

	"runnel/image/imagetest"
)

// shared holds what several tests read and none changes.
var shared sharedDir

// sharedDir is a directory that lives as long as the test process.
type sharedDir struct {
	mu     sync.Mutex
	dir    string            // guarded by mu
	images map[string]string // guarded by mu
}

// remove takes the directory away, at the end of everything.
func (s *sharedDir) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // in a temporary directory; nobody is left to tell
	}
}

// image returns the reference of the image called name, made at first use.
func (s *sharedDir) image(h *host, name string, build func() imagetest.Build) string {
	h.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref := s.images[name]; ref != "" {
		return ref
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "runnel-integration-")
		if err != nil {
			h.Fatal(err)
		}
		s.dir, s.images = dir, map[string]string{}
	}
	file := filepath.Join(s.dir, name+".tar")
	if _, err := build().WriteOCIArchive(file, "latest"); err != nil {
		h.Fatalf("make image %s: %v", name, err)
	}
	s.images[name] = "oci-archive:" + file
	return s.images[name]
}

// shell is an image of busybox whose entrypoint is "sh -c": its argument is a
// script.
func (h *host) shell() string {
	h.Helper()
	return shared.image(h, "shell", func() imagetest.Build {
		return imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(h)},
			Config: shellConfig(),
		}
	})
}

func shellConfig() imagetest.Config {
	return imagetest.Config{
		Entrypoint: []string{"/bin/sh", "-c"},
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	}
}

// build writes an image for this test only and returns its reference. Its layers
// are not compressed: that would take longer than all the rest.
func (h *host) build(b imagetest.Build) string {
	h.Helper()
	b.Compression = imagetest.None
	file := filepath.Join(h.TempDir(), "image.tar")
	if _, err := b.WriteOCIArchive(file, "latest"); err != nil {
		h.Fatalf("make image: %v", err)
	}
	return "oci-archive:" + file
}

// script is a task of the shell image: the flags before it, and the script.
// Commas mean nothing in it.
func (h *host) script(text string, flags ...string) []string {
	return append([]string{"--image", h.shell(), "--args", "^\x01^" + text}, flags...)
}
