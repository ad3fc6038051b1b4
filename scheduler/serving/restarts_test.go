package serving

import (
	"slices"
	"testing"
	"time"

	rruntime "runnel/runtime"

	"runnel/contract"
)

// begins are the seconds since begun at which instances were started.
func (w *town) begins(begun time.Time) (starts []int) {
	w.look(func() {
		for _, b := range w.made {
			if b.started() {
				starts = append(starts, int(b.began[0].Sub(begun).Round(time.Second)/time.Second))
			}
		}
	})
	return starts
}

// A worker that ends is started again, whatever its exit code; where that comes
// time and again, later each time.
//
// contract: WP-11
func TestRestartsOfWorkersSpreadOut(t *testing.T) {
	for _, code := range []int{0, 1} {
		inTown(t, 9, script{ends: time.Second, exit: contract.Exit{Code: code}}, func(t *testing.T, w *town) {
			begun := time.Now()
			w.add(t, workers("mill-00001-abc", nil), manual(1))
			<-time.After(100 * time.Second)
			if got, want := w.begins(begun), []int{0, 2, 5, 10, 19, 36, 53, 70, 87}; !slices.Equal(got, want) {
				t.Errorf("exit code %d: started at %v s, want %v", code, got, want)
			}
		})
	}
}

// Those that end together count as one.
//
// contract: WP-11
func TestAllWorkersRestartTogether(t *testing.T) {
	inTown(t, 9, script{ends: time.Second, exit: contract.Exit{Code: 1}}, func(t *testing.T, w *town) {
		begun := time.Now()
		w.add(t, workers("mill-00001-abc", nil), manual(3))
		<-time.After(15 * time.Second)
		if got, want := w.begins(begun), []int{0, 0, 0, 2, 2, 2, 5, 5, 5, 10, 10, 10}; !slices.Equal(got, want) {
			t.Errorf("started at %v s, want %v", got, want)
		}
	})
}

// An instance that has lasted is replaced at once, however often that is.
//
// contract: WP-11
func TestAWorkerThatLastsIsReplacedAtOnce(t *testing.T) {
	inTown(t, 9, script{ends: 11 * time.Second}, func(t *testing.T, w *town) {
		begun := time.Now()
		w.add(t, workers("mill-00001-abc", nil), manual(1))
		<-time.After(50 * time.Second)
		if got, want := w.begins(begun), []int{0, 11, 22, 33, 44}; !slices.Equal(got, want) {
			t.Errorf("started at %v s, want %v", got, want)
		}
	})
}

// One worker that goes on is no reason to start the others over and over.
//
// contract: WP-11
func TestWorkersWithoutWorkAreNotRestartedOverAndOver(t *testing.T) {
	first := true
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		w.look(func() {
			w.play = func(rruntime.Spec) script {
				if first {
					first = false
					return script{}
				}
				return script{ends: time.Second}
			}
		})
		begun := time.Now()
		w.add(t, workers("mill-00001-abc", nil), manual(2))
		<-time.After(100 * time.Second)
		if got := w.begins(begun); len(got) > 10 {
			t.Errorf("started at %v s", got)
		}
	})
}
