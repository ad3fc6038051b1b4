package metadata

import (
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// What one client may hold of the daemon. A metadata request is a line and a
// handful of headers; clients keep connections open between token refreshes.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10

	// maxConnections is how many connections one instance may have open.
	maxConnections = 128
)

// NewServer returns a server of h that bounds the size of headers and the time
// that slow or silent clients may take. The caller sets BaseContext (see
// WithIdentity), serves its listeners and closes it. One server may serve many
// listeners; a server for each instance costs little more.
func NewServer(h *Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What a container sends must not fill the daemon's log.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// Limit returns ln with a bound on how many of its connections are open at
// once, so that no instance can take up the daemon's file descriptors. Those
// beyond it wait in the kernel's queue.
func Limit(ln net.Listener) net.Listener { return netutil.LimitListener(ln, maxConnections) }
