package metadata

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// maxWait bounds how long a request that waits for a change is held.
const maxWait = time.Hour

// answer writes body with its ETag. A client that waits for a change and knows
// this ETag already gets the same answer once it is done waiting: what an
// identity answers never changes, but a client that was answered at once would
// ask again at once, forever.
func answer(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	etag := hex.EncodeToString(sum[:8])
	if q := r.URL.Query(); q.Get("wait_for_change") == "true" && q.Get("last_etag") == etag {
		if !wait(w, r, q.Get("timeout_sec")) {
			return
		}
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	// The client's connection is all that can fail, and then nobody listens.
	_, _ = w.Write(body)
}

// wait holds a request for as long as its client asks, and reports whether the
// client is still there.
func wait(w http.ResponseWriter, r *http.Request, seconds string) bool {
	hold := maxWait
	if n, err := strconv.ParseUint(seconds, 10, 31); err == nil && n > 0 {
		hold = min(hold, time.Duration(n)*time.Second)
	}
	// The server's own write timeout is meant for answers that are ready; net/http
	// lifts the read timeout by itself while a handler runs. A ResponseWriter
	// without deadlines has no timeouts either.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(hold + writeTimeout))
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	<-ctx.Done()
	return r.Context().Err() == nil
}
