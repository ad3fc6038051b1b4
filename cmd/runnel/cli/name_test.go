package cli

import (
	"strings"
	"testing"
)

// contract: IMG-13
func TestNameComesFromTheImage(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"busybox":                        "busybox",
		"host:5000/team/My_App.v2:tag":   "my-app-v2",
		"repo@sha256:abc":                "repo",
		"oci:/tmp/dir:tag":               "dir",
		"123":                            "job",
		strings.Repeat("a", 60) + ":tag": strings.Repeat("a", 49),
		"docker-archive:/x/y.tar":        "y",
	} {
		if got := NameOf("job", image); got != want {
			t.Errorf("NameOf(%q) = %q, want %q", image, got, want)
		}
	}
}
