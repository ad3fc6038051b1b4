package jobs

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// What could not be started has no exit code, so none is shown.
func TestTaskShowsHowItsLastAttemptEnded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		last *runpb.TaskAttemptResult
		want string
	}{
		{"success", &runpb.TaskAttemptResult{}, "Last Attempt Result:\n  Exit Code:          0\n\n"},
		{"exit 3", &runpb.TaskAttemptResult{ExitCode: 3, Status: &status.Status{Message: "why"}}, "Last Attempt Result:\n  Exit Code:          3\n  Message:            why\n\n"},
		{"a signal", &runpb.TaskAttemptResult{TermSignal: 9, Status: &status.Status{Message: "why"}}, "Last Attempt Result:\n  Signal:             9\n  Message:            why\n\n"},
		{"never run", &runpb.TaskAttemptResult{Status: &status.Status{Message: "why"}}, "Last Attempt Result:\n  Message:            why\n\n"},
	} {
		task := &runpb.Task{Name: "projects/p/locations/l/jobs/j/executions/x/tasks/t", CompletionTime: timestamppb.Now(), LastAttemptResult: tt.last}
		if got := string((&commands{}).taskText(task)); !strings.Contains(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}
