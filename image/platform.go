package image

import (
	"fmt"
	"slices"
	"strings"
)

// platform is what an image was built for.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
}

// String is OS/ARCHITECTURE and the variant, fit to be printed.
func (p platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return oneLine(s)
}

// wanted tells whether p is the one platform that is run. Hand-made images
// leave the fields out; those are taken for what they most likely are.
func (p platform) wanted() bool {
	return (p.OS == "linux" || p.OS == "") && (p.Architecture == "amd64" || p.Architecture == "")
}

// check refuses an image built for another platform.
func (p platform) check() error {
	if p.wanted() {
		return nil
	}
	return fmt.Errorf("%w: it is built for %s", ErrPlatform, p)
}

// choosePlatform gives the entries of an index that may lead to a linux/amd64
// image, best first: by variant, the plain one before the ones for newer
// processors, then what does not tell (nested indexes, lone manifests).
func choosePlatform(entries []descriptor) ([]descriptor, error) {
	var chosen []descriptor
	var others []string
	for _, e := range entries {
		kind := kindOf(e.MediaType)
		switch {
		case kind != kindImage && kind != kindIndex:
		case e.Platform == nil || *e.Platform == (platform{}):
			chosen = append(chosen, e)
		case e.Platform.OS == "linux" && e.Platform.Architecture == "amd64":
			chosen = append(chosen, e)
		case e.Platform.OS != "unknown": // build attestations call themselves unknown
			others = append(others, e.Platform.String())
		}
	}
	if len(chosen) == 0 {
		return nil, noPlatform(others)
	}
	slices.SortStableFunc(chosen, func(a, b descriptor) int {
		return strings.Compare(variantRank(a), variantRank(b))
	})
	return chosen, nil
}

func noPlatform(others []string) error {
	if len(others) == 0 {
		return fmt.Errorf("%w: the index is empty", ErrPlatform)
	}
	slices.Sort(others)
	return fmt.Errorf("%w: the index has only %s", ErrPlatform, oneLine(strings.Join(slices.Compact(others), ", ")))
}

// variantRank sorts "" and "v1", the same thing, first; unknown platforms last.
func variantRank(d descriptor) string {
	switch {
	case d.Platform == nil || *d.Platform == (platform{}):
		return "~"
	case d.Platform.Variant == "":
		return "v1"
	}
	return d.Platform.Variant
}
