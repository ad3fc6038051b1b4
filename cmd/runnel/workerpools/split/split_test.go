package split

import (
	"fmt"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/prototext"
)

// contract: WP-7
func TestSplitsAreSharesAndBack(t *testing.T) {
	t.Parallel()
	const latest, revision = "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION"
	for text, want := range map[string][2]string{
		"": {"map[LATEST:100]", latest + " 100 "},
		"instance_splits: {type: " + latest + " percent: 70} instance_splits: {type: " + revision + ` revision: "b" percent: 20} instance_splits: {revision: "a" percent: 10}`: {
			"map[LATEST:70 a:10 b:20]", revision + " 10 a" + revision + " 20 b" + latest + " 70 ",
		},
		"instance_splits: {percent: 60} instance_splits: {type: " + latest + " percent: 40}":                              {"map[LATEST:100]", latest + " 100 "},
		"instance_splits: {type: " + revision + ` revision: "projects/p/x/a" percent: 100} instance_splits: {percent: 0}`: {"map[LATEST:0 a:100]", revision + " 100 a"},
	} {
		pool := &runpb.WorkerPool{}
		if err := prototext.Unmarshal([]byte(text), pool); err != nil {
			t.Fatal(err)
		}
		of := Shares(pool.GetInstanceSplits())
		back := ""
		for _, s := range Splits(of) {
			back += fmt.Sprint(s.GetType(), " ", s.GetPercent(), " ", s.GetRevision())
		}
		if got := fmt.Sprint(of); got != want[0] || back != want[1] {
			t.Errorf("%s: %s and %s, want %s and %s", text, got, back, want[0], want[1])
		}
	}
}

// What the latest revision has as such, and by its name, is all its own.
func TestPercentOfARevision(t *testing.T) {
	t.Parallel()
	pool := &runpb.WorkerPool{}
	if err := prototext.Unmarshal([]byte(`
		latest_ready_revision: "projects/p/locations/l/workerPools/w/revisions/b"
		instance_split_statuses: {type: INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION revision: "a" percent: 30}
		instance_split_statuses: {type: INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION revision: "b" percent: 10}
		instance_split_statuses: {type: INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST revision: "b" percent: 60}`), pool); err != nil {
		t.Fatal(err)
	}
	for revision, want := range map[string]int32{"a": 30, "b": 70, "c": 0} {
		if got := Percent(pool, revision); got != want {
			t.Errorf("%s has %d percent, want %d", revision, got, want)
		}
	}
}
