package shares

import (
	"errors"
	"maps"
	"testing"
)

// A share of nothing, which a worker pool's splits may hold, has no part in what
// is left.
//
// contract: WP-7
func TestSharesOfNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		has, set, got map[string]int32
		err           error
	}{
		{"all of it", map[string]int32{"a": 100, Latest: 0}, map[string]int32{"a": 100}, map[string]int32{"a": 100}, nil},
		{"nobody to take the rest", map[string]int32{"a": 100, Latest: 0}, map[string]int32{"a": 90}, nil, ErrUnder},
		{"another takes the rest", map[string]int32{"a": 40, "b": 60, Latest: 0}, map[string]int32{"a": 90}, map[string]int32{"a": 90, "b": 10}, nil},
		{"named for nothing", map[string]int32{"a": 40, "b": 60}, map[string]int32{"a": 0}, map[string]int32{"a": 0, "b": 100}, nil},
	} {
		got, err := Set(tt.has, tt.set)
		if !errors.Is(err, tt.err) || !maps.Equal(got, tt.got) {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, got, err, tt.got, tt.err)
		}
	}
}
