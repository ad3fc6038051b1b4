package api_test

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/api"
)

// A client whose messages are newer than ours may say how a number of instances
// is to be found. Only what is so here anyway is accepted.
//
// contract: WP-2 WP-10
func TestWorkerPoolsAreNotScaledAutomatically(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		more []byte // fields after a manual count of 3
		want []string
	}{
		{"nothing", nil, nil},
		{"no mode", []byte{5 << 3, 0}, nil},
		{"manual", []byte{5 << 3, 2}, nil},
		{"automatic", []byte{5 << 3, 1}, []string{"scaling"}},
		{"a mode unheard of", []byte{5 << 3, 9}, []string{"scaling"}},
		{"manual, then automatic", []byte{5 << 3, 2, 5 << 3, 1}, []string{"scaling"}},
		{"a minimum", []byte{1 << 3, 2}, []string{"scaling"}},
		{"a maximum beside manual", []byte{5 << 3, 2, 2 << 3, 0x80, 1}, []string{"scaling"}},
		{"something of a subscription", []byte{7<<3 | 2, 2, 'a', 'b'}, []string{"scaling"}},
	} {
		p := samplePool()
		p.Scaling = &runpb.WorkerPoolScaling{}
		if err := proto.Unmarshal(append([]byte{6 << 3, 3}, tt.more...), p.Scaling); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		checkPaths(t, api.ValidateWorkerPool(p), tt.want)
	}
}
