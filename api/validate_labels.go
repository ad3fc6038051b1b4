package api

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of labels and annotations.
// Source: "Requirements for labels" of Google Cloud; Kubernetes' bound for
// annotations.
const (
	maxLabels           = 64
	maxLabelLength      = 63
	maxAnnotationsBytes = 256 << 10
)

// labelDomain is what may stand before the slash of a label's key.
var labelDomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

// ReservedKey reports whether key is a label or an annotation in one of the
// platform's own domains. In v2 each of these has a field instead.
// Source: run.v2 protos, labels and annotations.
func ReservedKey(key string) bool {
	domain, _, ok := strings.Cut(key, "/")
	if !ok {
		return false
	}
	switch domain {
	case "run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev":
		return true
	}
	return false
}

func (c *checker) reserved(path, k string) bool {
	if ReservedKey(k) {
		c.add(path, "the domain %s is reserved for the platform", k[:strings.Index(k, "/")])
		return true
	}
	return false
}

// labels checks the labels at path.
func (c *checker) labels(path string, labels map[string]string) {
	if len(labels) > maxLabels {
		c.add(path, "has %d labels: want at most %d", len(labels), maxLabels)
	}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		at := key(path, k)
		if c.reserved(at, k) {
			continue
		}
		domain, name, ok := strings.Cut(k, "/")
		if !ok {
			name = domain
		}
		if ok && !labelDomain.MatchString(domain) || !isLabelName(name) {
			c.add(at, "is not a label's key: want at most %d lower-case letters, digits, underscores and hyphens, beginning with a letter", maxLabelLength)
		}
		if v := labels[k]; !isLabelText(v) {
			c.add(at, "%q is not a label's value: want at most %d lower-case letters, digits, underscores and hyphens", v, maxLabelLength)
		}
	}
}

func isLabelName(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(first) && isLabelText(s)
}

func isLabelText(s string) bool {
	return utf8.RuneCountInString(s) <= maxLabelLength && !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || !(r == '-' || r == '_' || unicode.IsDigit(r) || unicode.IsLetter(r) && !unicode.IsUpper(r))
	})
}

// annotations checks the annotations at path: any text, within a bound.
func (c *checker) annotations(path string, annotations map[string]string) {
	size := 0
	for _, k := range slices.Sorted(maps.Keys(annotations)) {
		size += len(k) + len(annotations[k])
		if k == "" {
			c.add(key(path, k), "has no key")
		}
		c.reserved(key(path, k), k)
	}
	if size > maxAnnotationsBytes {
		c.add(path, "has %d bytes: want at most %d", size, maxAnnotationsBytes)
	}
}
