package metadata_test

import (
	"strings"
	"testing"

	"runnel/metadata"
)

// contract: MD-7
func TestDeriveInstanceIDIsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	a, b := metadata.DeriveInstanceID("a"), metadata.DeriveInstanceID("b")
	if len(a) != 130 || strings.Trim(a, "0123456789abcdef") != "" || a == b || a != metadata.DeriveInstanceID("a") {
		t.Errorf("DeriveInstanceID = %q, %q", a, b)
	}
}

func TestValidateNamesWhatCannotBeServed(t *testing.T) {
	t.Parallel()
	if err := first.Validate(); err != nil {
		t.Errorf("%+v: %v", first, err)
	}
	for want, change := range map[string]func(*metadata.Identity){
		"instance id \"abc\"":             func(id *metadata.Identity) { id.InstanceID = "abc" },
		"instance id \"XY":                func(id *metadata.Identity) { id.InstanceID = strings.Repeat("XY", 20) },
		"project number \"\"":             func(id *metadata.Identity) { id.ProjectNumber = "" },
		"project number \"demo\"":         func(id *metadata.Identity) { id.ProjectNumber = "demo" },
		"project id \"a/b\"":              func(id *metadata.Identity) { id.ProjectID = "a/b" },
		"region \"a\\nb\"":                func(id *metadata.Identity) { id.Region = "a\nb" },
		"want an email address":           func(id *metadata.Identity) { id.ServiceAccount = "root" },
		"service account \"a b@c\": want": func(id *metadata.Identity) { id.ServiceAccount = "a b@c" },
	} {
		id := first
		change(&id)
		if err := id.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want %q", err, want)
		}
	}
}
