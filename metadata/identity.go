// Package metadata answers Cloud Run's metadata contract for one identity at a
// time, and makes and signs its tokens.
//
// Whom an answer speaks for is decided by the listener a request came in on,
// never by anything in the request: whoever opens the listener inside an
// instance's network namespace binds the identity to it with WithIdentity. One
// Handler serves every instance of a host. The package opens no sockets, does
// not log, and needs no privilege.
package metadata

import (
	"crypto/sha3"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Identity is whom the metadata server speaks for.
type Identity struct {
	// InstanceID is what instance/id answers: lower-case hex, see
	// DeriveInstanceID. It equals the instanceId label of the instance's logs.
	InstanceID string
	// ProjectID, ProjectNumber and Region name where the instance runs.
	ProjectID     string
	ProjectNumber string
	Region        string
	// ServiceAccount is the account's email address.
	ServiceAccount string
}

// instanceIDBytes makes identifiers as long as Cloud Run's.
const instanceIDBytes = 65

// minInstanceID is the shortest identifier, in hex digits, that cannot be
// guessed or repeated.
const minInstanceID = 32

// DeriveInstanceID is an instance identifier of 130 hex digits, always the same
// for the same seed.
// Source: instance/id as Cloud Run answers it.
func DeriveInstanceID(seed string) string {
	return hex.EncodeToString(sha3.SumSHAKE256([]byte(seed), instanceIDBytes))
}

// Validate reports everything that keeps id from being served, joined.
func (id Identity) Validate() error {
	var errs []error
	if len(id.InstanceID) < minInstanceID || strings.Trim(id.InstanceID, "0123456789abcdef") != "" {
		errs = append(errs, fmt.Errorf("instance id %q: want at least %d lower-case hex digits", id.InstanceID, minInstanceID))
	}
	for _, f := range []struct {
		name, value string
		check       func(string) error
	}{
		{"project number", id.ProjectNumber, CheckProjectNumber},
		{"project id", id.ProjectID, CheckName},
		{"region", id.Region, CheckName},
		{"service account", id.ServiceAccount, CheckAccount},
	} {
		if err := f.check(f.value); err != nil {
			errs = append(errs, fmt.Errorf("%s %q: %w", f.name, f.value, err))
		}
	}
	return errors.Join(errs...)
}

// CheckName says what keeps s from being a project ID or the name of a region.
// Names that hold a slash or a control character would turn into other paths or
// lines of an answer.
func CheckName(s string) error {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '/' }) {
		return errors.New("want visible ASCII characters without slashes")
	}
	return nil
}

// CheckProjectNumber says what keeps s from being a project's number.
func CheckProjectNumber(s string) error {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return errors.New("want digits")
	}
	return nil
}

// CheckAccount says what keeps s from being a service account's address.
func CheckAccount(s string) error {
	if !strings.Contains(s, "@") {
		return errors.New("want an email address")
	}
	return CheckName(s)
}

// regionName is what instance/region answers.
func (id Identity) regionName() string {
	return "projects/" + id.ProjectNumber + "/regions/" + id.Region
}

// zoneName is what instance/zone answers: Cloud Run names one zone per region,
// whichever the instance is really in.
func (id Identity) zoneName() string {
	return "projects/" + id.ProjectNumber + "/zones/" + id.Region + "-1"
}
