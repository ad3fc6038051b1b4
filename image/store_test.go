package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// contract: ATK-33
func TestStoreIsPrivateAndLocked(t *testing.T) {
	privileged(t)
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	s := newStore(t)
	for _, dir := range []string{s.cfg.Dir, s.imagesDir(), s.layersDir(), s.tmpDir()} {
		info, err := os.Stat(dir)
		must(t, err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v", dir, info.Mode())
		}
	}
	if other, err := Open(StoreConfig{Dir: s.cfg.Dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v, %v", other, err)
	}
	must(t, s.Close())
	if _, err := s.Pull(t.Context(), "x", PullOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("pull after close: %v", err)
	}
	again, err := Open(StoreConfig{Dir: s.cfg.Dir})
	must(t, err)
	must(t, again.Close())
}

func TestStoreRefusesBadConfig(t *testing.T) {
	t.Parallel()
	if _, err := Open(StoreConfig{Dir: "relative", Workers: -1, MaxLayerBytes: -1}); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
}

// Whatever a crash leaves in the store, opening it again shows no image that is
// not whole, and the image can be pulled.
func TestStoreSurvivesCrashResidue(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	a := imagetest.Push(t, sample(), host+"/c")
	for name, damage := range map[string]func(s *Store, img *Image) error{
		"half-unpacked layer": func(s *Store, img *Image) error {
			return os.Rename(img.Layers[0], filepath.Join(s.tmpDir(), "layer-1"))
		},
		"layer without record": func(s *Store, img *Image) error { return os.Remove(s.recordPath(digest(img.Digest))) },
		"record without layer": func(_ *Store, img *Image) error { return os.RemoveAll(img.Layers[1]) },
		"torn record": func(s *Store, img *Image) error {
			return os.Truncate(s.recordPath(digest(img.Digest)), 10)
		},
		"empty record": func(s *Store, img *Image) error { return os.Truncate(s.recordPath(digest(img.Digest)), 0) },
		"foreign record": func(s *Store, img *Image) error {
			return os.WriteFile(s.recordPath(digest(img.Digest)), fmt.Appendf(nil, `{"version":%d,"digest":%q,"layers":[{"diffID":"sha256:../.."}]}`, recordVersion, img.Digest), 0o600)
		},
		"record of an older version": func(s *Store, img *Image) error {
			r, err := s.readRecord(digest(img.Digest))
			r.Version--
			return errors.Join(err, s.writeRecord(r))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			img := mustPull(t, s, host+"/c")
			must(t, damage(s, img))
			must(t, s.Close())
			s, err := Open(s.cfg)
			must(t, err)
			defer func() { must(t, s.Close()) }()
			if got, err := s.Image(a.Descriptor.Digest); !errors.Is(err, ErrNotFound) {
				t.Errorf("shows %+v, %v", got, err)
			}
			if left, err := os.ReadDir(s.tmpDir()); err != nil || len(left) != 0 {
				t.Errorf("residue: %v, %v", left, err)
			}
			checkSample(t, s, host+"/c", a.Descriptor.Digest)
		})
	}
}

// What cannot be removed does not keep a store from being used.
func TestStoreOpensBesideWhatCannotBeRemoved(t *testing.T) {
	privileged(t)
	s := newStore(t)
	must(t, s.Close())
	stuck := filepath.Join(s.tmpDir(), "layer-1")
	must(t, os.Mkdir(stuck, 0o700))
	mount(t, stuck, "")
	s, err := Open(s.cfg)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	host := imagetest.Registry(t)
	imagetest.Push(t, sample(), host+"/beside")
	mustPull(t, s, host+"/beside")
}

// A process killed in the middle of a pull leaves a store that opens clean.
func TestStoreSurvivesKill(t *testing.T) {
	privileged(t)
	if dir := os.Getenv("IMAGE_TEST_PULL"); dir != "" {
		s, err := Open(StoreConfig{Dir: dir, ReserveBytes: -1})
		must(t, err)
		_, err = s.Pull(t.Context(), os.Getenv("IMAGE_TEST_REF"), PullOptions{})
		t.Fatalf("not killed: %v", err)
	}
	server := imagetest.Serve(t)
	ref := server.Host + "/k"
	a := imagetest.Push(t, big(), ref)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestStoreSurvivesKill$")
	cmd.Env = append(os.Environ(), "IMAGE_TEST_PULL="+dir, "IMAGE_TEST_REF="+ref)
	halfway := make(chan struct{})
	server.Intercept(blobFault(a.Manifest.Layers[0].Digest, func(w http.ResponseWriter, r *http.Request, b []byte) {
		_, _ = w.Write(b[:len(b)/2])
		w.(http.Flusher).Flush()
		close(halfway)
		<-r.Context().Done()
	}))
	must(t, cmd.Start())
	<-halfway
	testenv.Eventually(t, deadlineTime, func() bool {
		left, err := os.ReadDir(filepath.Join(dir, "tmp"))
		return err == nil && len(left) == 1
	}, "the pull begins to unpack")
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed
	server.Intercept(nil)
	s, err := Open(StoreConfig{Dir: dir, ReserveBytes: -1})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	wantEmptyStore(t, s)
	mustPull(t, s, ref)
}

// A pull cancelled at any request, or in the middle of one, leaves nothing.
func TestPullCancelledAnywhere(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/c"
	a := imagetest.Push(t, big(), ref)
	cause := errors.New("changed my mind")
	s := newStore(t)
	for _, part := range []string{"/v2/", "/manifests/", a.Manifest.Config.Digest, a.Manifest.Layers[0].Digest} {
		for _, after := range []int{0, 100, 1 << 20} {
			t.Run(fmt.Sprint(part, after), func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if part == "/v2/" && r.URL.Path != part || !strings.Contains(r.URL.Path, part) {
						next.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Length", fmt.Sprint(a.Manifest.Layers[0].Size))
					_, _ = w.Write(make([]byte, after))
					w.(http.Flusher).Flush()
					cancel(cause)
					<-r.Context().Done()
				})
				_, err := s.Pull(ctx, ref, PullOptions{})
				if err == nil || part != a.Manifest.Config.Digest && !errors.Is(err, cause) {
					t.Errorf("got %v", err)
				}
				wantEmptyStore(t, s)
			})
		}
	}
	server.Intercept(nil)
	mustPull(t, s, ref)
}

// What one pull cannot bring, another that waited for it brings itself.
func TestPullTakesOverFromAFailedOne(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/t"
	layer := imagetest.Push(t, big(), ref).Manifest.Layers[0].Digest
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	started, fail := make(chan struct{}), make(chan struct{})
	server.Intercept(blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) {
		once.Do(func() {
			close(started)
			<-fail
		})
		_, _ = w.Write(b)
	}))
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.Pull(ctx, ref, PullOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("first: %v", err)
		}
	})
	<-started
	for range 3 {
		wg.Go(func() {
			if _, err := s.Pull(deadline(t), ref, PullOptions{}); err != nil {
				t.Errorf("second: %v", err)
			}
		})
	}
	testenv.Eventually(t, deadlineTime, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.flights {
			return f.refs == 4
		}
		return false
	}, "three pulls wait for the first")
	cancel()
	close(fail)
	wg.Wait()
	if left, err := os.ReadDir(s.tmpDir()); err != nil || len(left) != 0 {
		t.Errorf("residue: %v, %v", left, err)
	}
}

// contract: IMG-5
func TestCollect(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	shared := entriesLayer(imagetest.File("shared", strings.Repeat("s", 100_000), 0o644))
	digests := map[string]string{}
	for _, name := range []string{"a", "b"} {
		own := entriesLayer(imagetest.File(name, strings.Repeat(name, 200_000), 0o644), imagetest.Link("link", name))
		digests[name] = imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{shared, own}}, server.Host+"/"+name+"/"+name).Descriptor.Digest
	}
	s := newStore(t)
	a, b := mustPull(t, s, server.Host+"/a/a"), mustPull(t, s, server.Host+"/b/b")
	if freed, err := s.Collect(t.Context(), using(digests["a"], digests["b"])); freed != 0 || err != nil {
		t.Errorf("nothing to collect: %d, %v", freed, err)
	}
	freed, err := s.Collect(t.Context(), using(digests["a"]))
	if freed < 200_000 || freed > 300_000 || err != nil {
		t.Errorf("freed %d, %v", freed, err)
	}
	if _, err := os.Stat(b.Layers[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("b's own layer: %v", err)
	}
	if _, err := s.Image(digests["b"]); !errors.Is(err, ErrNotFound) {
		t.Errorf("b: %v", err)
	}
	if _, err := s.Image(digests["a"]); err != nil {
		t.Error(err)
	}
	for _, l := range a.Layers {
		if _, err := os.Stat(l); err != nil {
			t.Error(err)
		}
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// Collecting while pulling takes nothing away from a pull: not the layer it
// found in the store, whose image is collected, nor those it has just brought.
func TestCollectDuringPulls(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	shared := entriesLayer(imagetest.File("shared", "", 0o644))
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{shared}}, host+"/old")
	wanted := imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{
		shared, entriesLayer(imagetest.File("own", "", 0o644)),
	}}, host+"/new").Descriptor.Digest
	s := newStore(t)
	for range 20 {
		mustPull(t, s, host+"/old")
		done := make(chan struct{})
		var collector sync.WaitGroup
		collector.Go(func() {
			for {
				collect(t, s, wanted)
				select {
				case <-done:
					return
				default:
				}
			}
		})
		img := mustPull(t, s, host+"/new")
		close(done)
		collector.Wait()
		for i, name := range []string{"own", "shared"} {
			if _, err := os.Stat(filepath.Join(img.Layers[i], name)); err != nil {
				t.Fatal(err)
			}
		}
		collect(t, s)
	}
	wantEmptyStore(t, s)
}

// A layer whose root is opaque hides all below it, which overlayfs would not do
// by itself.
func TestImageStopsAtAnOpaqueRoot(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{
		entriesLayer(imagetest.File("hidden", "", 0o644)),
		entriesLayer(imagetest.File(".wh..wh..opq", "", 0), imagetest.File("seen", "", 0o644)),
		entriesLayer(imagetest.File("top", "", 0o644)),
	}}, host+"/o")
	if img := mustPull(t, newStore(t), host+"/o"); len(img.Layers) != 2 {
		t.Errorf("layers %v", img.Layers)
	}
}

// tmpfs mounts a small file system for the test.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, dir, options)
	return dir
}

func mount(t *testing.T, dir, options string) {
	t.Helper()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, options))
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
}

// contract: IMG-11 ATK-37
func TestPullOnAFullDisk(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	imagetest.Push(t, big(), host+"/big")
	small := make([]imagetest.Entry, 500)
	for i := range small {
		small[i] = imagetest.File(fmt.Sprint("f", i), "", 0o644)
	}
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{entriesLayer(small...)}}, host+"/many")
	for _, c := range []struct {
		name, options, ref string
		reserve            int64
	}{
		{"bytes", "size=2m", "/big", -1},
		{"inodes", "size=64m,nr_inodes=200", "/many", -1},
		{"reserve", "size=8m", "/big", 6 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tmpfs(t, c.options)
			s, err := Open(StoreConfig{Dir: dir + "/store", ReserveBytes: c.reserve})
			must(t, err)
			defer func() { must(t, s.Close()) }()
			before, err := freeBytes(dir)
			must(t, err)
			refused(t, s, host+c.ref, ErrNoSpace, "disk")
			if after, err := freeBytes(dir); err != nil || after != before {
				t.Errorf("%d bytes free before, %d after (%v)", before, after, err)
			}
		})
	}
}

// contract: IMG-11
func TestPullHugeSparseLayer(t *testing.T) {
	notInVM(t)
	privileged(t)
	host := imagetest.Registry(t)
	pushZeros(t, host+"/sparse", 3<<30)
	dir := tmpfs(t, "size=4g")
	s, err := Open(StoreConfig{Dir: dir + "/store", ReserveBytes: -1})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	img := mustPull(t, s, host+"/sparse")
	info, err := os.Stat(img.Layers[0] + "/zeros")
	must(t, err)
	if used := diskUsage(info); info.Size() != 3<<30 || used > 1<<20 {
		t.Errorf("%d bytes, %d on disk", info.Size(), used)
	}
}
