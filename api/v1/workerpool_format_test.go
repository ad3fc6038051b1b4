package v1_test

import (
	"bytes"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "runnel/api/v1"
)

// contract: WP-2 WP-7 WP-8
func TestWorkerPoolsAreWrittenAsV1HasThem(t *testing.T) {
	t.Parallel()
	o := v1.Options{Namespace: number}
	var (
		pool     runpb.WorkerPool
		revision runpb.Revision
	)
	for _, tt := range []struct {
		name   string
		m      proto.Message
		format func() any
	}{
		{"workerpool", &pool, func() any { return v1.FormatWorkerPool(&pool, o) }},
		{"workerpoolrevision", &revision, func() any { return v1.FormatRevision(&revision, o) }},
	} {
		if err := protojson.Unmarshal(read(t, tt.name+".v2.json"), tt.m); err != nil {
			t.Fatal(err)
		}
		got := indented(t, tt.format())
		if want := read(t, tt.name+".v1.golden.json"); !bytes.Equal(got, want) {
			t.Errorf("the %s is written as\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

func TestAWorkerPoolBeingDeletedDoesNotFail(t *testing.T) {
	t.Parallel()
	w := &runpb.WorkerPool{Uid: "u", TerminalCondition: &runpb.Condition{Type: "Ready", State: runpb.Condition_CONDITION_FAILED}}
	for _, tt := range []struct {
		deleted *timestamppb.Timestamp
		want    string
	}{{nil, "False"}, {timestamppb.Now(), "Unknown"}} {
		w.DeleteTime = tt.deleted
		if got := v1.FormatWorkerPool(w, v1.Options{}).Status.Conditions[0].Status; got != tt.want {
			t.Errorf("deleted at %v: %s, want %s", tt.deleted, got, tt.want)
		}
	}
}
