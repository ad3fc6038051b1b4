package image

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"runnel/image/imagetest"
)

// pretend is a document that a signature claims to be inside once it is cut
// after its first kept bytes, which are inside's, and given the rest of it.
func pretend(inside string, kept int, outside string) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := fmt.Sprintf(`{"formatLength":%d,"formatTail":%q}`, kept, encode([]byte(inside[kept:])))
	return fmt.Sprintf(`%s%s,"signatures":[{"protected":%q}]}`, inside[:kept], outside, encode([]byte(header)))
}

// A signature does not lend the digest of one document to the content of
// another.
func TestPinnedDigestIsOfWhatIsUsed(t *testing.T) {
	t.Parallel()
	good, evil := strings.Repeat("a", 64), strings.Repeat("e", 64)
	schema1Of := func(layer string) string {
		return fmt.Sprintf(`"schemaVersion":1,"fsLayers":[{"blobSum":"sha256:%s"}],"history":[{"v1Compatibility":"{}"}]`, layer)
	}
	modern := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":"sha256:%s","size":2},"layers":[]}`,
		mediaOCIManifest, mediaOCIConfig, good)
	old := "{" + schema1Of(good) + "}"
	for name, c := range map[string]struct {
		inside, served string
		want           error
	}{
		"later keys win": {modern, pretend(modern, len(modern)-1,
			fmt.Sprintf(`,"config":null,"layers":null,"mediaType":%q,`, mediaSchema1Signed)+schema1Of(evil)), ErrInvalidManifest},
		"nothing in common":             {modern, pretend(modern, 1, schema1Of(evil)), ErrInvalidManifest},
		"other schema 1":                {old, pretend(old, 1, schema1Of(evil)), nil},
		"schema 1":                      {old, pretend(old, len(old)-1, ""), nil},
		"schema 1 that is not unsigned": {old, "{" + schema1Of(evil) + "}", ErrDigest},
	} {
		t.Run(name, func(t *testing.T) {
			server := imagetest.Serve(t)
			server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if !strings.Contains(r.URL.Path, "/manifests/") {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", mediaSchema1Signed)
				_, _ = w.Write([]byte(c.served))
			})
			ref, err := ParseReference(server.Host + "/pin@" + string(digestOf([]byte(c.inside))))
			must(t, err)
			src := newRegistry(ref, nil)
			defer func() { must(t, src.close()) }()
			found, err := resolve(deadline(t), src, ref)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v; want %v", found, err, c.want)
			}
			if c.want != nil {
				return
			}
			_, layers, err := found.contents(deadline(t), src)
			must(t, err)
			if len(layers) != 1 || layers[0].digest.hex() != good {
				t.Errorf("layers %+v", layers)
			}
		})
	}
}
