package control_test

import (
	"strconv"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
)

// A conflict tells both versions as times, whatever the etag looks like: its
// parts are base64, which has a slash of its own.
func TestAConflictTellsWhichVersionWasMeant(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	job, _ := create(t, w, "hello", controltest.NewJob(1))
	base := time.Date(2026, 11, 21, 22, 55, 55, 0, time.UTC)
	for i := range 300 {
		at := base.Add(time.Duration(i) * 997 * time.Microsecond)
		job.Etag = control.Etag(job.GetName(), at)
		_, _, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: job, ValidateOnly: true})
		fails(t, err, codes.Aborted, "version '"+strconv.FormatInt(at.UnixMicro(), 10)+"' was specified")
	}
}

func TestAJobIsCreatedInOneProjectAndLocation(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	for parent, want := range map[string]string{
		"projects/-/locations/us-central1": `"-" is not a project`,
		"projects/local/locations/-":       `"-" is not a location`,
	} {
		_, _, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: parent, JobId: "a", Job: controltest.NewJob(1)})
		fails(t, err, codes.InvalidArgument, want)
	}
}
