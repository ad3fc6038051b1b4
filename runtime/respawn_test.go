package runtime

import (
	"slices"
	"testing"
	"time"
)

func TestPausesBetweenShimsGrow(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	pause := time.Duration(0)
	for range 8 {
		pause = longerPause(pause)
		got = append(got, pause/time.Second)
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30}; !slices.Equal(got, want) {
		t.Errorf("pauses of %d s, want %d", got, want)
	}
}
