package server

import (
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
)

// holdings keeps descriptors for the daemon's next life, under names: for a
// container its network namespace and what else came with it, until it is
// deleted; other things until they are dropped. The zero value is ready.
type holdings struct {
	// mu guards files.
	mu    sync.Mutex
	files map[string][]*os.File
}

// put takes over files, in place of what was kept under name.
func (h *holdings) put(name string, files []*os.File) {
	h.mu.Lock()
	old := h.files[name]
	if h.files == nil {
		h.files = map[string][]*os.File{}
	}
	h.files[name] = files
	h.mu.Unlock()
	closeAll(old)
}

// get returns what is kept under name. It stays the holdings', and may be closed
// at any moment.
func (h *holdings) get(name string) []syscall.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]syscall.Conn, 0, len(h.files[name]))
	for _, f := range h.files[name] {
		out = append(out, f)
	}
	return out
}

// take returns what is kept under name, which becomes the caller's.
func (h *holdings) take(name string) []*os.File {
	h.mu.Lock()
	defer h.mu.Unlock()
	files := h.files[name]
	delete(h.files, name)
	return files
}

// drop closes what is kept under name.
func (h *holdings) drop(name string) { closeAll(h.take(name)) }

// close drops everything.
func (h *holdings) close() {
	h.mu.Lock()
	all := h.files
	h.files = nil
	h.mu.Unlock()
	for _, files := range all {
		closeAll(files)
	}
}

// closeAll closes descriptors that nothing was written to.
func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nil, for one that was cut off, only says so
	}
}

// checkComplete says whether one of files was cut off for want of room.
func checkComplete(files []*os.File) error {
	if slices.Contains(files, nil) {
		return errors.New("the shim has no room for another descriptor")
	}
	return nil
}
