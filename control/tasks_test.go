package control_test

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
)

// A page of tasks costs what is on it, however many there are: the greatest
// executions are looked at while they have all the host. Not parallel, as it
// counts allocations.
func TestPageOfTasksCostsWhatIsOnIt(t *testing.T) {
	w := controltest.New(t)
	x, _ := w.Run(w.Job("many", 1000))
	w.Ended(x.GetName())
	cost := func(size int) float64 {
		q := control.Query[*runpb.Task]{Parent: x.GetName(), PageSize: size}
		return testing.AllocsPerRun(3, func() {
			if tasks, _, err := w.Control.Tasks(t.Context(), q); err != nil || len(tasks) != size {
				t.Fatalf("%d tasks, %v; want %d", len(tasks), err, size)
			}
		})
	}
	small, great := cost(10), cost(1000)
	if small > great/20 {
		t.Errorf("a page of 10 takes %.0f allocations, one of 1000 takes %.0f", small, great)
	}
	// Each task is a message of some thirty parts; what they share is made once.
	if great > 1000*50 {
		t.Errorf("a page of 1000 takes %.0f allocations", great)
	}
}
