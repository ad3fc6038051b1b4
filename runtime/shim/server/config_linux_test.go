package server

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Whoever protects the shim from the kernel's choice of whom to kill does not
// protect tasks.
func TestTasksDoNotInheritTheShimsProtection(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"-900\n": "0", "-1\n": "0", "0\n": "inherited", "300\n": "inherited", "": "inherited"} {
		file := filepath.Join(t.TempDir(), "oom_score_adj")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := "inherited"
		if score := oomScore(file); score != nil && *score == 0 {
			got = "0"
		}
		if got != want {
			t.Errorf("a shim at %q: %s, want %s", text, got, want)
		}
	}
	spec := &specs.Spec{Process: &specs.Process{}, Linux: &specs.Linux{}}
	complete(spec, &root{}, nil, specs.User{})
	if want := oomScore(ownOOMScore); (spec.Process.OOMScoreAdj == nil) != (want == nil) {
		t.Errorf("a container gets %v, want %v", spec.Process.OOMScoreAdj, want)
	}
}
