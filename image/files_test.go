package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A FIFO in place of an archive is refused, and not waited for.
func TestArchiveIsNoFIFO(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), deadlineTime)
	defer cancel()
	opened := make(chan error, 1)
	go func() {
		_, err := openArchive(fifo)
		opened <- err
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, ErrInvalidManifest) {
			t.Errorf("got %v", err)
		}
	case <-ctx.Done():
		t.Error("it waits for a writer")
		w, err := os.OpenFile(fifo, os.O_RDWR, 0) // lets it go
		must(t, err)
		<-opened
		must(t, w.Close())
	}
}
