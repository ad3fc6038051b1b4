package image

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// leased is a new store's image, and the lease that keeps it.
func leased(t *testing.T) (*Store, *Lease, *Image) {
	t.Helper()
	host := imagetest.Registry(t)
	imagetest.Push(t, sample(), host+"/app")
	s := newStore(t)
	lease := s.Lease()
	img, err := lease.Pull(t.Context(), host+"/app", PullOptions{})
	must(t, err)
	return s, lease, img
}

// What a lease has got stays while it lasts, though nothing else needs it, and
// its end says that there is something to collect now.
func TestLeaseKeepsWhatItGot(t *testing.T) {
	privileged(t)
	s, pulling, img := leased(t)
	looking := s.Lease()
	_, err := looking.Image(img.Digest)
	must(t, err)
	collect(t, s)
	if pulling.End() {
		t.Error("it is time to collect, though the other lease goes on")
	}
	collect(t, s)
	if _, err := s.Image(img.Digest); err != nil {
		t.Fatal(err)
	}
	if !looking.End() {
		t.Error("it is not time to collect what was left for the lease's sake")
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// A lease on what is in use, or on nothing, leaves nothing to do.
func TestLeaseEndsQuietlyWhereNothingIsToCollect(t *testing.T) {
	privileged(t)
	s, lease, img := leased(t)
	if _, err := lease.Image("sha256:" + strings.Repeat("0", 64)); !errors.Is(err, ErrNotFound) {
		t.Errorf("an image that is not there: %v", err)
	}
	collect(t, s) // leaves it
	collect(t, s, img.Digest)
	if lease.End() {
		t.Error("it is time to collect an image that is in use")
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// Somebody stores that he uses an image and ends his lease while a collection
// that did not see it yet finds out what is in use.
func TestLeaseEndsAfterTheCollectionThatMissedItsUse(t *testing.T) {
	privileged(t)
	s, lease, img := leased(t)
	var ending sync.WaitGroup
	_, err := s.Collect(t.Context(), func() ([]string, error) {
		ending.Go(func() { lease.End() })
		time.Sleep(100 * time.Millisecond) // in which it would end
		return nil, nil
	})
	must(t, err)
	ending.Wait()
	if _, err := s.Image(img.Digest); err != nil {
		t.Error(err)
	}
}

// A collection waits for no pull: one that takes for ever must not fill the disk.
func TestCollectionDoesNotWaitForPulls(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, sample(), server.Host+"/old")
	layer := imagetest.Push(t, big(), server.Host+"/new").Manifest.Layers[0].Digest
	s := newStore(t)
	old := mustPull(t, s, server.Host+"/old")
	asked, answer := make(chan struct{}), make(chan struct{})
	server.Intercept(blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) {
		close(asked)
		<-answer
		_, _ = w.Write(b)
	}))
	lease := s.Lease()
	var pulling sync.WaitGroup
	pulling.Go(func() {
		if _, err := lease.Pull(t.Context(), server.Host+"/new", PullOptions{}); err != nil {
			t.Error(err)
		}
	})
	<-asked
	collect(t, s)
	if _, err := s.Image(old.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("while a pull waits for its registry, an unused image: %v", err)
	}
	close(answer)
	pulling.Wait()
	lease.End()
	collect(t, s)
	wantEmptyStore(t, s)
}

// A pull that fails was the last to need a layer of an image that is gone: it is
// time to collect it.
func TestLeaseOfAFailedPullLeavesNothing(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	shared := entriesLayer(imagetest.File("shared", "", 0o644))
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{shared}}, server.Host+"/old")
	layers := imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{
		shared, entriesLayer(imagetest.File("own", "", 0o644)),
	}}, server.Host+"/new").Manifest.Layers
	s := newStore(t)
	mustPull(t, s, server.Host+"/old")
	lease := s.Lease()
	ctx, cancel := context.WithCancel(t.Context())
	server.Intercept(blobFault(layers[1].Digest, func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		// Both layers are looked for at once: the shared one is found by now, or
		// soon, and stays.
		testenv.Eventually(t, deadlineTime, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.pinned) > 2
		}, "the pull finds the layer that is there")
		collect(t, s)
		cancel()
		<-r.Context().Done()
	}))
	if _, err := lease.Pull(ctx, server.Host+"/new", PullOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the pull: %v", err)
	}
	if !lease.End() {
		t.Error("it is not time to collect the layer")
	}
	collect(t, s)
	wantEmptyStore(t, s)
}
