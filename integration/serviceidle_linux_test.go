package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: LIFE-3, LIFE-5, SC-1, SC-6
// Silence stops instances, requests start them again; none is lost in between,
// whenever it comes.
func TestSilenceStopsInstancesAndRequestsStartThem(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("services: {idleTime: 2s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := h.ServeRequests("--config", config)
	d.Deploy("hello").Exits(0)
	gone := func() int { return strings.Count(d.CLI("services", "logs", "hello", "--limit", "1000").Stdout, "gone") }
	for round := range 2 {
		d.Get("hello", "/").Is(h, 200)
		d.Until("the instance is stopped", func() bool { return gone() > round })
	}
	// About the time at which the next one is stopped.
	d.Get("hello", "/").Is(h, 200)
	for pause := 1900 * time.Millisecond; pause < 2400*time.Millisecond; pause += 50 * time.Millisecond {
		<-time.After(pause)
		d.Get("hello", "/").Is(h, 200)
	}
}
