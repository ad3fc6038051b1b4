package image

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "1.5": 0,
		"99999999999999":                maxSeconds * time.Second,
		"999999999999999999999999":      0, // not a number that fits
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:04:04 GMT": 0,
		"Fri, 02 Jan 9999 03:04:04 GMT": maxSeconds * time.Second,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// tokens is where the registry of refusing has its tokens from.
const tokens = "localhost:2"

// refusing is a registry that wants a token, keeps what is asked for elsewhere, and
// refuses what is first asked for at a path.
type refusing struct {
	path, after string
	code        int
	// cut ends the refusal before its length.
	cut   bool
	asked int
}

func (f *refusing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == f.path {
		// A registry is knocked at twice, for one scheme after another.
		if f.asked++; f.asked == 1 || f.asked == 2 && f.path == "/v2/" {
			w.Header().Set("Retry-After", f.after)
			if f.cut {
				w.Header().Set("Content-Length", "100")
			}
			w.WriteHeader(f.code)
			return
		}
	}
	switch {
	case req.URL.Path == "/token":
		_, _ = w.Write([]byte(`{"token": "known"}`))
	case req.Header.Get("Authorization") != "Bearer known":
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+tokens+`/token",service="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	case strings.HasPrefix(req.URL.Path, "/v2/repo/"):
		http.Redirect(w, req, "/kept", http.StatusTemporaryRedirect)
	}
}

// contract: REG-6
// A registry says when to come back, or the server of its tokens, or where it keeps
// its blobs: that long is waited, if it is not too long.
func TestRetryAfterIsWaitedOut(t *testing.T) {
	const manifest = "/v2/repo/manifests/tag"
	for name, c := range map[string]struct {
		refusing
		least, most time.Duration
		asked       int
		want        string // in the error; "" for none
	}{
		"seconds":      {refusing{path: manifest, after: "20", code: 429}, 20 * time.Second, 21 * time.Second, 2, ""},
		"unavailable":  {refusing{path: manifest, after: "20", code: 503}, 20 * time.Second, 21 * time.Second, 2, ""},
		"nothing said": {refusing{path: manifest, code: 429}, retryDelay, time.Second, 2, ""},
		"less than is": {refusing{path: manifest, after: "0", code: 429}, retryDelay, time.Second, 2, ""},
		"cut off":      {refusing{path: manifest, after: "31536000", code: 503, cut: true}, retryDelay, time.Second, 2, ""},
		"too long":     {refusing{path: manifest, after: "3600", code: 429}, 0, time.Second, 1, `localhost:1 answers 429 "Too Many Requests", and asks to come back in 1h0m0s`},
		"at the door":  {refusing{path: "/v2/", after: "20", code: 429}, 20 * time.Second, 21 * time.Second, 3, ""},
		"token":        {refusing{path: "/token", after: "20", code: 429}, 20 * time.Second, 21 * time.Second, 2, ""},
		"no token":     {refusing{path: "/token", after: "3600", code: 503}, 0, time.Second, 1, tokens + ` answers 503 "Service Unavailable", and asks to come back in 1h0m0s`},
		"elsewhere":    {refusing{path: "/kept", after: "20", code: 503}, 20 * time.Second, 21 * time.Second, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := c.refusing
				r := inMemory(t, f.ServeHTTP)
				began := time.Now()
				_, err := r.root(t.Context())
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("took %v, want %v to %v", took, c.least, c.most)
				}
				if f.asked != c.asked || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("asked %d times, want %d: %v, want %q", f.asked, c.asked, err, c.want)
				}
			})
		})
	}
}

// A token that has run out is asked for again, and as patiently.
func TestRetryAfterOfARenewedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token, given := "first", 0
		r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
			switch {
			case req.URL.Path == "/token":
				if given++; given == 2 {
					w.Header().Set("Retry-After", "20")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				_, _ = w.Write([]byte(`{"token": "` + token + `"}`))
			case req.Header.Get("Authorization") != "Bearer "+token:
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://localhost:1/token",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		_, err := r.root(t.Context())
		must(t, err)
		token = "second"
		began := time.Now()
		if _, err := r.root(t.Context()); err != nil || given != 3 {
			t.Errorf("a token was asked for %d times: %v", given, err)
		}
		if took := time.Since(began); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("took %v, want 20 s", took)
		}
	})
}
