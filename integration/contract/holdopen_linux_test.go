package contract

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"runnel/integration/rig"
)

// holdOpen begins a request to a service and leaves it open until the test ends.
func holdOpen(t *testing.T, d *rig.Daemon, service, path string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+service+".run.localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := d.Requests()
	var asking sync.WaitGroup
	asking.Go(func() { rig.Do(client, r) })
	t.Cleanup(func() {
		cancel()
		asking.Wait()
	})
}
