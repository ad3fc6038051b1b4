package ingress

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	"runnel/contract"
)

// affinityCookie is the name of the cookie that keeps a client on an instance.
// Source: as observed.
const affinityCookie = "GAESA"

// affinityKey is what a cookie calls an instance. It is the same in every
// process, so that it outlives the daemon as the instance does, and tells
// nothing of it.
func affinityKey(service, revision, publicID string) string {
	sum := sha256.Sum256([]byte("affinity\x00" + service + "\x00" + revision + "\x00" + publicID))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// holder is the public ID of the instance that a cookie means, if it is still
// there.
func (p *Pool) holder(key string) (publicID string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.byKey[key]
	if m == nil || m.draining {
		return "", false
	}
	return m.backend.PublicID, true
}

// cookieOf is the affinity cookie of a request; empty if it has none.
func cookieOf(r *http.Request) string {
	if len(r.Header["Cookie"]) == 0 {
		return ""
	}
	c, err := r.Cookie(affinityCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// cookieWriter adds an affinity cookie to an answer, as late as its header is
// written: what the instance has set stays.
type cookieWriter struct {
	http.ResponseWriter
	key    string
	secure bool
	done   bool
}

// Unwrap gives http.ResponseController the writer below.
func (w *cookieWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *cookieWriter) WriteHeader(status int) {
	if status >= 200 && !w.done {
		w.done = true
		w.add()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *cookieWriter) Write(b []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// add adds the cookie, and what an answer with a cookie says of caches.
func (w *cookieWriter) add() {
	cookie := affinityCookie + "=" + w.key + "; Path=/; Max-Age=" +
		strconv.Itoa(int(contract.AffinityTime.Seconds())) + "; HttpOnly"
	if w.secure {
		cookie += "; Secure"
	}
	h := w.Header()
	h.Add("Set-Cookie", cookie)
	h.Set("Cache-Control", "private")
}
