package contract

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// oddRegistry is a registry that misbehaves when it is told to, with one image,
// whose one layer fits no buffer.
type oddRegistry struct {
	*imagetest.Server
	t     *testing.T
	d     *rig.Daemon
	ref   string
	image *imagetest.Artifact
	// id is of the job that is deployed.
	id string
}

func newOddRegistry(t *testing.T, d *rig.Daemon) *oddRegistry {
	t.Helper()
	o := &oddRegistry{Server: imagetest.Serve(t), t: t, d: d, id: strings.ToLower(rand.Text()[:5])}
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 8)
	}
	copy(noise, rand.Text()) // the daemon has no layer of other registries already
	o.ref = o.Host + "/team/app:1"
	o.image = imagetest.Push(t, imagetest.Build{
		Layers:      []imagetest.Layer{{Entries: []imagetest.Entry{imagetest.File("noise", string(noise), 0o644)}}},
		Compression: imagetest.None,
	}, o.ref)
	return o
}

// layer is the digest of the image's layer.
func (o *oddRegistry) layer() string { return o.image.Manifest.Layers[0].Digest }

// answers has answer, which gets what the registry would send, answer requests
// for what is called by end.
func (o *oddRegistry) answers(end string, answer func(w http.ResponseWriter, r *http.Request, content []byte)) {
	o.Intercept(func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		if !strings.HasSuffix(r.URL.Path, end) {
			registry.ServeHTTP(w, r)
			return
		}
		plain, whole := r.Clone(r.Context()), httptest.NewRecorder()
		plain.Header.Del("Range")
		registry.ServeHTTP(whole, plain)
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		answer(w, r, whole.Body.Bytes())
	})
}

// deploy deploys the image as a job, which imports it and runs nothing.
func (o *oddRegistry) deploy(ref string) rig.Result {
	o.t.Helper()
	// A registry that sends nothing is asked four times, for half a minute each.
	return o.d.Host.StartFor(10*time.Minute, o.d.Lead, "jobs", "deploy", nameOf(o.t, o.id), "--image", ref).Wait()
}

// gives fails the test unless the image can be deployed now.
func (o *oddRegistry) gives() {
	o.t.Helper()
	o.deploy(o.ref).Exits(0)
}

// refused fails the test unless the image cannot be deployed, for a reason with
// these words.
func (o *oddRegistry) refused(what, ref string, words ...string) {
	o.t.Helper()
	r := o.deploy(ref)
	if r.Code != 1 {
		o.t.Errorf("%s: exit %d, want 1\n%s", what, r.Code, r)
	}
	for _, w := range words {
		if !strings.Contains(r.Stderr, w) {
			o.t.Errorf("%s: the reason lacks %q\n%s", what, w, r)
		}
	}
}

// send sends content with its length.
func send(w http.ResponseWriter, content []byte) { _, _ = w.Write(content) } // who has gone needs nothing

// sendChunked sends content without a length.
func sendChunked(w http.ResponseWriter, content []byte) {
	w.(http.Flusher).Flush()
	send(w, content)
}

// counter counts requests, for several goroutines.
type counter struct {
	mu sync.Mutex
	n  int // guarded by mu
}

// next is how many there are, this one too.
func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}
