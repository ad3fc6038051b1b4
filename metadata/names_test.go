package metadata_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"runnel/metadata"
)

// contract: ATK-19
// Whoever believes to speak to another server is told nothing.
func TestOtherNamesAreRefused(t *testing.T) {
	t.Parallel()
	h := metadata.New(metadata.Config{})
	for host, want := range map[string]int{
		"metadata.google.internal": 200, "metadata.google.internal.": 200, "METADATA.google.internal:80": 200,
		"metadata": 200, "metadata:80": 200, "169.254.169.254": 200, "169.254.169.254:80": 200, "[::1]": 200, "[::1]:80": 200, "": 200,

		"evil.example": 403, "evil.example:80": 403, "metadata.google.internal.evil.example": 403,
		"evil.metadata.google.internal": 403, "metadata.google": 403, "169.254.169.254.nip.example": 403, "localhost": 403,
	} {
		r := httptest.NewRequestWithContext(metadata.WithIdentity(t.Context(), func() *metadata.Identity { return &first }),
			http.MethodGet, v1+"instance/id", nil)
		r.Host = host
		r.Header.Set("Metadata-Flavor", "Google")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}
