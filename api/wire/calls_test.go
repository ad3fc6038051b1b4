package wire_test

import (
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"runnel/api/wire"
)

// Callers over TCP who wait or listen for ever do not keep those out who run
// the machine.
func TestCallersByTheSocketAreHeardAmongTooMany(t *testing.T) {
	t.Parallel()
	const most, own = 5, 2
	entered := make(chan struct{}, most)
	c := handle("/hold", func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	})
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	t.Cleanup(asking.Wait) // after the server has ended them
	s := startWith(t, wire.NewNarrow(c, most, own), tcp, unix)
	client, inside := newClient(t, true, nil), unixClient(t, path)
	for range most - own {
		asking.Go(func() {
			if resp, err := client.Get("http://" + s.addr + "/hold"); err == nil {
				_ = resp.Body.Close()
			}
		})
		<-entered
	}
	if code, _, text := get(t, client, "GET", "http://"+s.addr+"/healthz", ""); code != 503 {
		t.Errorf("over TCP: %d %s", code, text)
	}
	if code, _, text := get(t, inside, "GET", "http://x/healthz", ""); code != 200 {
		t.Errorf("by the socket: %d %s", code, text)
	}
	for range own {
		asking.Go(func() {
			if resp, err := inside.Get("http://x/hold"); err == nil {
				_ = resp.Body.Close()
			}
		})
		<-entered
	}
	if code, _, text := get(t, inside, "GET", "http://x/healthz", ""); code != 503 {
		t.Errorf("by the socket, when all are taken: %d %s", code, text)
	}
}
