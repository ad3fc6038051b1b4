package scheduler

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"runnel/contract"
	rruntime "runnel/runtime"
)

func fullRecord() TaskRecord {
	at := func(s int64) time.Time { return time.Unix(1_800_000_000+s, 123_456_789) }
	return TaskRecord{
		Index: 9999, State: Running, Attempts: 11,
		Scheduled: at(1), Started: at(2), Attempted: at(3), AttemptedUp: 7 * time.Hour, Completed: at(4), Updated: at(5),
		Stopping: contract.Exit{TimedOut: true},
		Exit: rruntime.Exit{
			Exit: contract.Exit{Code: 255, Signal: 9, OOMKilled: true, TimedOut: true, Cancelled: true, Lost: true},
			At:   at(6), MemoryPeak: 1 << 40,
		},
		Error: "no space left on device", Hopeless: true, FirstFailure: true,
	}
}

func TestRecordsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]TaskRecord{
		"full":  fullRecord(),
		"short": {State: Pending},
		"done":  {Index: 1, State: Succeeded, Attempts: 1, Exit: rruntime.Exit{At: time.Unix(5, 0)}},
		"bits":  {State: Failed, Stopping: contract.Exit{Cancelled: true}, Exit: rruntime.Exit{Exit: contract.Exit{OOMKilled: true}}, FirstFailure: true},
	} {
		b, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 160 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		var got TaskRecord
		if err := got.UnmarshalBinary(b); err != nil || got != r {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, r)
		}
	}
}

func TestRecordsOfOtherVersions(t *testing.T) {
	t.Parallel()
	want := fullRecord()
	b, _ := want.MarshalBinary()
	later := protowire.AppendString(protowire.AppendTag(b, 99, protowire.BytesType), "what is to come")
	later = protowire.AppendFixed32(protowire.AppendTag(later, 100, protowire.Fixed32Type), 7)
	var got TaskRecord
	if err := got.UnmarshalBinary(later); err != nil || got != want {
		t.Errorf("unknown fields: %+v, %v", got, err)
	}
	foreign := protowire.AppendVarint(protowire.AppendTag(nil, fieldVersion, protowire.VarintType), recordVersion+1)
	for name, b := range map[string][]byte{"foreign": foreign, "empty": nil, "cut": b[:len(b)-1], "no record": []byte("no record")} {
		if err := got.UnmarshalBinary(b); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is read without complaint is written as it was read.
func FuzzTaskRecord(f *testing.F) {
	b, _ := fullRecord().MarshalBinary()
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again TaskRecord
		if r.UnmarshalBinary(b) != nil {
			return
		}
		b, _ = r.MarshalBinary()
		if err := again.UnmarshalBinary(b); err != nil || again != r {
			t.Errorf("%+v becomes %+v, %v", r, again, err)
		}
	})
}
