package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// Collecting meanwhile takes nothing away from an upload.
func TestCollectDuringUploads(t *testing.T) {
	privileged(t)
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, sample(), base)
	s := newStore(t)
	for range 20 {
		done := make(chan struct{})
		var collector sync.WaitGroup
		collector.Go(func() {
			for {
				collect(t, s)
				select {
				case <-done:
					return
				default:
				}
			}
		})
		img := mustAdd(t, s, base, site("one")...)
		close(done)
		collector.Wait()
		if _, err := s.Image(img.Digest); err != nil {
			t.Fatal(err)
		}
		mustPull(t, s, UploadReference("site", img.Digest))
		collect(t, s)
	}
	wantEmptyStore(t, s)
}

// A process killed in the middle of an upload leaves a store that opens clean.
func TestStoreSurvivesKillDuringUpload(t *testing.T) {
	privileged(t)
	if dir := os.Getenv("IMAGE_TEST_UPLOAD"); dir != "" {
		s, err := Open(StoreConfig{Dir: dir, ReserveBytes: -1})
		must(t, err)
		body := Upload{Body: os.Stdin}
		if base := os.Getenv("IMAGE_TEST_REF"); base != "" {
			_, err = s.AddLayer(t.Context(), base, "/workspace", body)
		} else {
			_, err = s.AddArchive(t.Context(), body)
		}
		t.Fatalf("not killed: %v", err)
	}
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, imagetest.Build{}, base)
	for _, ref := range []string{base, ""} {
		dir := t.TempDir()
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestStoreSurvivesKillDuringUpload$")
		cmd.Env = append(os.Environ(), "IMAGE_TEST_UPLOAD="+dir, "IMAGE_TEST_REF="+ref)
		in, err := cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		_, err = in.Write(tarOf(t, site(strings.Repeat("x", 1<<20))...).Bytes()[:1<<19])
		must(t, err)
		testenv.Eventually(t, deadlineTime, func() bool {
			left, err := os.ReadDir(filepath.Join(dir, "tmp"))
			return err == nil && len(left) == 1
		}, "the upload begins to be written")
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed
		s, err := Open(StoreConfig{Dir: dir, ReserveBytes: -1})
		must(t, err)
		collect(t, s)
		wantEmptyStore(t, s)
		must(t, s.Close())
	}
}
