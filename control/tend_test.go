package control

import (
	"path/filepath"
	"testing"
	"time"

	"runnel/store"
)

// An execution may be removed before whoever has made it gets to count it.
func TestExecutionThatIsGoneIsNotCounted(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := New(Config{Store: s})
	n := split("projects/p/locations/l/jobs/j/executions/x")
	c.census.add(n, time.Now(), false)
	c.tendExecution(t.Context(), n.String())
	if running := c.census.running(); len(running) > 0 {
		t.Errorf("%v are taken for running", running)
	}
	if count, _ := c.census.of(n.up(atJob)); count != 0 {
		t.Errorf("%d executions are counted", count)
	}
}
