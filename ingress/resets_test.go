package ingress

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestTooManyResets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name  string
		every time.Duration
		want  int
	}{
		{"all at once", 0, resetBurst + 1},
		{"twice as fast as may be", time.Second / resetRate / 2, 2 * resetBurst},
		{"slowly", time.Second / resetRate, -1},
	} {
		var r resets
		first := -1
		for i := 1; i <= 5*resetBurst && first < 0; i++ {
			if r.add(now.Add(time.Duration(i) * c.every)) {
				first = i
			}
		}
		if first != c.want && (c.want != 2*resetBurst || first < c.want-2 || first > c.want+2) {
			t.Errorf("%s: the first too many is number %d, want %d", c.name, first, c.want)
		}
	}
}

// contract: ATK-23
func TestRequestsThatAreTakenBackEndTheirConnection(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, func(http.ResponseWriter, *http.Request) { <-hold }))))
	t.Cleanup(func() { close(hold) })
	h := w.dialH2(t)
	// One at a time, so that no other bound is met.
	for n := range 10 * resetBurst {
		id := uint32(2*n + 1)
		_ = h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers(), EndStream: true, EndHeaders: true})
		_ = h.WriteRSTStream(id, http2.ErrCodeCancel)
		_ = h.WritePing(false, [8]byte{1})
		for {
			f, err := h.ReadFrame()
			if err != nil {
				if n < resetBurst {
					t.Errorf("the connection ended after %d: %v", n, err)
				}
				return
			}
			if p, ok := f.(*http2.PingFrame); ok && p.IsAck() {
				break
			}
		}
	}
	t.Error("the connection goes on")
}
