package image

import (
	"fmt"
	"strings"
	"testing"
)

// What strangers wrote neither moves the cursor nor fills the screen.
func TestErrorsPrintHostileText(t *testing.T) {
	t.Parallel()
	evil := "\x1b]0;title\a\nall is well \u009b2J \u202e " + strings.Repeat("x", 1<<20)
	many := make([]descriptor, maxIndexEntries)
	for i := range many {
		many[i] = descriptor{MediaType: mediaOCIManifest, Platform: &platform{OS: fmt.Sprint(i), Architecture: evil}}
	}
	_, noneFits := choosePlatform(many)
	_, badDigest := parseDigest(evil)
	_, _, badConfig := readConfig(fmt.Appendf(nil, `{"os":%q}`, strings.ToValidUTF8(evil, "")))
	_, _, badType := readManifest(document{raw: fmt.Appendf(nil, `{"layers":[],"mediaType":"x%s"}`, strings.Repeat("x", 1<<20))})
	_, _, badNumber := readManifest(document{raw: fmt.Appendf(nil, `{"schemaVersion":1%s}`, strings.Repeat("0", 1<<20))})
	for name, err := range map[string]error{
		"index": noneFits, "platform": platform{OS: evil}.check(), "digest": badDigest,
		"configuration": badConfig, "media type": badType, "number": badNumber,
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if said := err.Error(); len(said) > 1000 || strings.ContainsAny(said, "\x1b\a\n\u009b\u202e") {
			t.Errorf("%s: %d bytes: %.300q", name, len(said), said)
		}
	}
}
