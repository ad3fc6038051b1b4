package api_test

import (
	"strings"
	"testing"

	"runnel/api"
)

func TestNearestIsWhatWasProbablyMeant(t *testing.T) {
	t.Parallel()
	names := []string{"run", "doctor", "maxRetries", "taskCount", "tasks", "image", strings.Repeat("a", 70)}
	for name, want := range map[string]string{
		"rnu":                   "run",
		"RUN":                   "run",
		"maxretires":            "maxRetries",
		"maxRetry":              "maxRetries",
		"imag":                  "image",
		"task":                  "tasks",
		"frobnicate":            "",
		"x":                     "",
		"":                      "",
		strings.Repeat("a", 71): "",
	} {
		if got := api.Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if a, b := api.Nearest("ab", []string{"ac", "ad"}), api.Nearest("ab", []string{"ad", "ac"}); a != "ac" || b != "ac" {
		t.Errorf("equally near: %q and %q", a, b)
	}
}
