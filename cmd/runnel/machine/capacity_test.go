package machine

import (
	"os"
	"path/filepath"
	"testing"

	"runnel/contract"
)

func TestMemAvailable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Bytes{
		"MemTotal:       24566148 kB\nMemFree:  1 kB\nMemAvailable:   2097152 kB\n": 2 * contract.GiB,
		"MemTotal: 1 kB\n": -1,
	} {
		path := filepath.Join(t.TempDir(), "meminfo")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := memAvailable(path)
		if want < 0 && err == nil || want >= 0 && got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestCapacityOfThisHost(t *testing.T) {
	t.Parallel()
	c, err := Capacity(&Root{Name: "nothing"})
	if err != nil || c.CPU < 1000 || c.Memory <= 0 {
		t.Errorf("%v, %v", c, err)
	}
}
