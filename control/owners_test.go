package control

import "testing"

// Logs call a worker pool what it is, although it is a service to this package.
func TestLogsNameTheOwner(t *testing.T) {
	t.Parallel()
	for full, want := range map[string]string{
		"projects/p/locations/r/services/a":    "service: service=projects/p/locations/r/services/a",
		"projects/p/locations/r/workerPools/a": "worker pool: workerPool=projects/p/locations/r/workerPools/a",
	} {
		n := split(full)
		if got := n.noun() + ": " + n.logged().String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
