package v2

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
)

func TestWhatIsDeletedDoesNotFail(t *testing.T) {
	t.Parallel()
	for state, want := range map[runpb.Condition_State]runpb.Condition_State{
		runpb.Condition_CONDITION_FAILED:    runpb.Condition_CONDITION_RECONCILING,
		runpb.Condition_CONDITION_SUCCEEDED: runpb.Condition_CONDITION_SUCCEEDED,
		runpb.Condition_CONDITION_PENDING:   runpb.Condition_CONDITION_PENDING,
	} {
		c := &runpb.Condition{Type: "Ready", State: state}
		if leaving(nil, c); c.GetState() != want {
			t.Errorf("%v becomes %v, want %v", state, c.GetState(), want)
		}
	}
}
