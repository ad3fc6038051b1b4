package control

import (
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/store"
)

// What the disk could not sync is an error, and may be there all the same: then
// it is seen to like everything else.
func TestOperationThatMayHaveBeenStored(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := New(Config{Store: s})
	n := split("projects/p/locations/l/jobs/j")
	for _, row := range []struct {
		stored bool
		err    error
		want   int
	}{
		{true, nil, 1},
		{true, unavailable(store.ErrDisk), 1},
		{false, unavailable(store.ErrDisk), 0},
		{false, status.Error(codes.Aborted, "conflict"), 0},
	} {
		op := c.begin(verbApply, n, "uid")
		if row.stored {
			if err := s.Update(t.Context(), func(tx *store.Tx) error { op.put(tx); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		op.settled(row.err)
		waiting := c.operations.of("uid")
		if len(waiting) != row.want {
			t.Errorf("stored %v, %v: %d operations wait, want %d", row.stored, row.err, len(waiting), row.want)
		}
		for _, name := range waiting {
			c.operations.unexpect(name, "uid")
		}
	}
}
