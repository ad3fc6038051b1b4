package ingress

import (
	"testing"
	"time"
)

func TestTooManyResets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name  string
		every time.Duration
		want  int
	}{
		{"all at once", 0, resetBurst + 1},
		{"twice as fast as may be", time.Second / resetRate / 2, 2 * resetBurst},
		{"slowly", time.Second / resetRate, -1},
	} {
		var r resets
		first := -1
		for i := 1; i <= 5*resetBurst && first < 0; i++ {
			if r.add(now.Add(time.Duration(i) * c.every)) {
				first = i
			}
		}
		if first != c.want && (c.want != 2*resetBurst || first < c.want-2 || first > c.want+2) {
			t.Errorf("%s: the first too many is number %d, want %d", c.name, first, c.want)
		}
	}
}
