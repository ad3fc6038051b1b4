package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/image/imagetest"
)

// contract: REG-1
func TestREG1ContentOfAnotherDigestIsRefused(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	changed := func(w http.ResponseWriter, _ *http.Request, content []byte) {
		content[len(content)/2] ^= 1
		send(w, content)
	}
	o.answers(o.layer(), changed)
	o.refused("layer", o.ref, o.ref, "content does not match", o.layer()[:19])
	o.answers(o.image.Manifest.Config.Digest, changed)
	o.refused("configuration", o.ref, "content does not match", o.image.Manifest.Config.Digest[:19])
	o.answers(o.image.Descriptor.Digest, func(w http.ResponseWriter, _ *http.Request, content []byte) {
		send(w, append(content, ' '))
	})
	o.refused("manifest", o.Host+"/team/app@"+o.image.Descriptor.Digest, "content does not match", o.image.Descriptor.Digest[:19])
	// None of it was kept.
	o.Intercept(nil)
	o.gives()
}

// sendFrom sends content from where a request wants it, and breaks off at end.
func sendFrom(w http.ResponseWriter, r *http.Request, content []byte, ranges bool, end int) (from int) {
	if ranges {
		text := strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
		from, _ = strconv.Atoi(text) // none is 0
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	send(w, content[from:max(from, min(end, len(content)))])
	if end < len(content) {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return from
}

// contract: REG-2
func TestREG2ABlobThatBreaksOffIsTakenUpThere(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	var asked counter
	var mu sync.Mutex
	last := 0 // where the last request began; guarded by mu
	o.answers(o.layer(), func(w http.ResponseWriter, r *http.Request, content []byte) {
		end := asked.next() << 20
		from := sendFrom(w, r, content, true, end)
		mu.Lock()
		defer mu.Unlock()
		last = from
	})
	o.gives()
	mu.Lock()
	defer mu.Unlock()
	if n := asked.next() - 1; n != 4 || last != 3<<20 {
		t.Errorf("%d requests for the layer, the last from byte %d; want one for each mebibyte, and from there", n, last)
	}
}

// contract: REG-2
func TestREG2ABlobThatKeepsBreakingOffIsRefused(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	o.answers(o.layer(), func(w http.ResponseWriter, r *http.Request, content []byte) {
		sendFrom(w, r, content, true, 1<<20)
	})
	o.refused("connection breaks at the same place", o.ref, "registry unreachable: "+o.Host)
	o.answers(o.layer(), func(w http.ResponseWriter, _ *http.Request, content []byte) { sendChunked(w, content[:1<<20]) })
	o.refused("ends early, as if that were all", o.ref, "content does not match")
	o.Intercept(nil)
	o.gives()
}

// contract: REG-5
func TestREG5ASlowRegistryIsWaitedForAndASilentOneGivenUp(t *testing.T) {
	d := daemon(t)
	slow, silent := newOddRegistry(t, d), newOddRegistry(t, d)
	slow.answers(slow.layer(), func(w http.ResponseWriter, _ *http.Request, content []byte) {
		for len(content) > 0 {
			n := min(len(content), 1<<17)
			send(w, content[:n])
			w.(http.Flusher).Flush()
			content = content[n:]
			<-time.After(1500 * time.Millisecond) // in all that is longer than silence is borne
		}
	})
	slow.gives()
	silent.answers("/manifests/1", func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	silent.refused("no answer", silent.ref, "registry unreachable: "+silent.Host, "timeout awaiting response headers")
}

// contract: REG-6
func TestREG6RetryAfterIsWaitedOut(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	// later refuses the first request for what is called by end.
	later := func(end, after string, code int) {
		var asked counter
		o.answers(end, func(w http.ResponseWriter, _ *http.Request, content []byte) {
			if asked.next() == 1 {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(code)
				return
			}
			send(w, content)
		})
	}
	for _, end := range []string{o.layer(), "/manifests/1"} { // the layer is asked for once
		later(end, "4", http.StatusTooManyRequests)
		if r := o.deploy(o.ref).Exits(0); r.Took < 4*time.Second {
			t.Errorf("%s is asked for again after %v, want four seconds or more", end, r.Took)
		}
	}
	later("/manifests/1", "3600", http.StatusTooManyRequests)
	o.refused("an hour", o.ref, o.Host, "429", "come back in 1h0m0s")
	later("/manifests/1", "", http.StatusBadGateway)
	o.gives()
	o.answers("/manifests/1", func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusBadGateway) })
	o.refused("always 502", o.ref, "registry unreachable: "+o.Host, "502")
}

// contract: REG-7
func TestREG7ARegistryWithoutRangesIsReadFromTheBeginning(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	var asked counter
	o.answers(o.layer(), func(w http.ResponseWriter, r *http.Request, content []byte) {
		sendFrom(w, r, content, false, asked.next()<<20)
	})
	o.gives()
	if n := asked.next() - 1; n < 3 {
		t.Errorf("the layer was asked for %d times, want three", n)
	}
}

// contract: REG-8
func TestREG8BodiesWithoutALengthAreReadToTheirEndAndBounded(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	endless := func(w http.ResponseWriter, r *http.Request, content []byte) {
		sendChunked(w, content)
		for r.Context().Err() == nil {
			send(w, make([]byte, 1<<16))
		}
	}
	o.answers(o.layer(), endless)
	o.refused("endless layer", o.ref, "content does not match")
	o.answers(o.image.Manifest.Config.Digest, endless)
	o.refused("endless configuration", o.ref, "configuration: too large")
	o.answers("/manifests/1", endless)
	o.refused("endless manifest", o.ref, "too large")
	o.answers("", func(w http.ResponseWriter, _ *http.Request, content []byte) { sendChunked(w, content) })
	o.gives()
}

// manifest has the registry send a manifest that change has changed.
func (o *oddRegistry) manifest(change func(*imagetest.Manifest)) {
	o.answers("/manifests/1", func(w http.ResponseWriter, _ *http.Request, content []byte) {
		var m imagetest.Manifest
		if err := json.Unmarshal(content, &m); err != nil {
			o.t.Error(err)
		}
		change(&m)
		text, err := json.Marshal(m)
		if err != nil {
			o.t.Error(err)
		}
		send(w, text)
	})
}

// contract: REG-9, ATK-13
func TestREG9ManifestsAreBoundedAndTheirSizesTrue(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	o.answers("/manifests/1", func(w http.ResponseWriter, _ *http.Request, content []byte) {
		send(w, append(content, strings.Repeat(" ", 5<<20)...))
	})
	o.refused("manifest of 5 MiB", o.ref, "too large")
	for what, size := range map[string]int64{"one byte less": -1, "one byte more": 1} {
		o.manifest(func(m *imagetest.Manifest) { m.Layers[0].Size += size })
		o.refused("layer, "+what, o.ref, "content does not match")
		o.manifest(func(m *imagetest.Manifest) { m.Config.Size += size })
		o.refused("configuration, "+what, o.ref, "content does not match")
	}
	o.manifest(func(m *imagetest.Manifest) { m.Config.Size = 1 << 40 })
	o.refused("configuration of a tebibyte", o.ref, "too large")
	o.Intercept(nil)
	chain := o.image
	for depth := range 6 {
		var err error
		if chain, err = imagetest.Index(imagetest.OCI, chain); err != nil {
			t.Fatal(err)
		}
		if err := chain.Push(t.Context(), fmt.Sprintf("%s/team/app:deep%d", o.Host, depth)); err != nil {
			t.Fatal(err)
		}
	}
	o.deploy(o.Host + "/team/app:deep0").Exits(0)
	o.refused("an index in an index in an index …", o.Host+"/team/app:deep5", "too large")
}
