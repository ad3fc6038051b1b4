package image

import (
	"context"
	"os"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// privileged is for a test that unpacks: it needs root and must leave nothing.
func privileged(t testing.TB) {
	t.Helper()
	testenv.Root(t)
	testenv.NoLeaks(t)
}

// notInVM is for a test of gigabytes, which the VM would take minutes for; it
// proves nothing there that it does not prove on the host.
func notInVM(t testing.TB) {
	t.Helper()
	if os.Getenv(testenv.EnvVM) != "" {
		t.Skip("takes minutes without hardware virtualization; runs on the host")
	}
}

// newStore opens a store of the test's own.
func newStore(t testing.TB, change ...func(*StoreConfig)) *Store {
	t.Helper()
	cfg := StoreConfig{Dir: t.TempDir(), ReserveBytes: -1}
	for _, c := range change {
		c(&cfg)
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// pull must succeed, in a time that only a hang exceeds.
func mustPull(t testing.TB, s *Store, ref string) *Image {
	t.Helper()
	img, err := s.Pull(deadline(t), ref, PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// using tells a collection which images are in use.
func using(digests ...string) func() ([]string, error) {
	return func() ([]string, error) { return digests, nil }
}

// collect collects all images but those in use.
func collect(t testing.TB, s *Store, inUse ...string) {
	t.Helper()
	if _, err := s.Collect(t.Context(), using(inUse...)); err != nil {
		t.Error(err)
	}
}

// entriesLayer is a layer of entries.
func entriesLayer(entries ...imagetest.Entry) imagetest.Layer {
	return imagetest.Layer{Entries: entries}
}

// wantEmptyStore fails if anything but directories is left of failed pulls.
func wantEmptyStore(t testing.TB, s *Store) {
	t.Helper()
	for _, dir := range []string{s.tmpDir(), s.layersDir(), s.imagesDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			t.Errorf("left behind: %s/%s", dir, e.Name())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.flights) != 0 || len(s.pinned) != 0 || len(s.spared) != 0 {
		t.Errorf("left behind: flights %v, pins %v, spared %v", s.flights, s.pinned, s.spared)
	}
}
