package runtime

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// Whoever is told that all survivors have ended relies on it: that there was no
// time left is an error, also while there is room to end some.
func TestSurvivorsThatThereIsNoTimeForAreToldOf(t *testing.T) {
	t.Parallel()
	var l Launcher
	l.survivors.put("a", newEnding(nil, 1))
	why := errors.New("out of time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for range 100 { // a select chooses among what is ready
		if err := l.EndSurvivors(ctx); !errors.Is(err, why) {
			t.Fatalf("got %v, want %v", err, why)
		}
	}
	if got := l.Survivors(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("survivors %v", got)
	}
}
