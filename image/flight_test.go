package image

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// A layer that two pulls wait for stays for the second of them when the image
// of the first is collected, although schema 1 does not tell what to keep.
//
// contract: IMG-5
func TestSharedFlightOutlivesCollection(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	common := entriesLayer(imagetest.File("common", "", 0o644))
	own := entriesLayer(imagetest.File("own", strings.Repeat("own", 100), 0o644))
	push := func(name string, layers ...*imagetest.Layer) {
		var steps []imagetest.Schema1Step
		for _, l := range layers {
			steps = append(steps, imagetest.Schema1Step{Layer: l})
		}
		_, err := imagetest.PushSchema1(t.Context(), server.Host+"/repo:"+name, steps)
		must(t, err)
	}
	push("short", &common)
	push("long", &common, &own)
	blob := func(l imagetest.Layer) string {
		b, err := imagetest.Gzip.Compress(tarOf(t, l.Entries...).Bytes())
		must(t, err)
		return string(digestOf(b))
	}
	gates := map[string]chan struct{}{blob(common): make(chan struct{}), blob(own): make(chan struct{})}
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		for blob, gate := range gates {
			if strings.HasSuffix(r.URL.Path, blob) {
				<-gate
			}
		}
		next.ServeHTTP(w, r)
	})
	s := newStore(t)
	shared := func(pulls int) func() bool {
		return func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			f := s.flights[flightKey{blob: digest(blob(common))}]
			return f != nil && f.refs == pulls
		}
	}
	var wg sync.WaitGroup
	var long *Image
	pull := func(name string) *Image {
		img, err := s.Pull(deadline(t), server.Host+"/repo:"+name, PullOptions{})
		if err != nil {
			t.Error(err)
		}
		return img
	}
	wg.Go(func() { long = pull("long") })
	testenv.Eventually(t, deadlineTime, shared(1), "the long image waits for the layer")
	wg.Go(func() {
		defer close(gates[blob(own)])
		pull("short")
		collect(t, s)
	})
	testenv.Eventually(t, deadlineTime, shared(2), "both images wait for the layer")
	close(gates[blob(common)])
	wg.Wait()
	if long == nil || len(long.Layers) != 2 {
		t.Fatalf("got %+v", long)
	}
	for _, dir := range long.Layers {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
}
