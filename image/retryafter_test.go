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

// refusing is a registry that wants a token, and refuses what is first asked for
// below a path. It is knocked at twice at a time, for one scheme after another.
type refusing struct {
	path, after string
	code        int
	asked       int
}

func (f *refusing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.Contains(req.URL.Path, f.path) {
		if f.asked++; f.asked == 1 || f.asked == 2 && req.URL.Path == "/v2/" {
			w.Header().Set("Retry-After", f.after)
			w.WriteHeader(f.code)
			return
		}
	}
	switch {
	case req.URL.Path == "/token":
		_, _ = w.Write([]byte(`{"token": "known"}`))
	case req.Header.Get("Authorization") != "Bearer known":
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://localhost:1/token",service="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// contract: REG-6
// A registry says when to come back, or the server of its tokens: that long is
// waited, if it is not too long.
func TestRetryAfterIsWaitedOut(t *testing.T) {
	for name, c := range map[string]struct {
		path, after string
		code        int
		least, most time.Duration
		want        string // in the error; "" for none
	}{
		"seconds":       {"/manifests/", "20", http.StatusTooManyRequests, 20 * time.Second, 21 * time.Second, ""},
		"unavailable":   {"/manifests/", "20", http.StatusServiceUnavailable, 20 * time.Second, 21 * time.Second, ""},
		"nothing said":  {"/manifests/", "", http.StatusTooManyRequests, retryDelay, time.Second, ""},
		"less than is":  {"/manifests/", "0", http.StatusTooManyRequests, retryDelay, time.Second, ""},
		"too long":      {"/manifests/", "3600", http.StatusTooManyRequests, 0, time.Second, `answers 429 "Too Many Requests", and asks to come back in 1h0m0s`},
		"at the door":   {"/v2/", "20", http.StatusTooManyRequests, 20 * time.Second, 21 * time.Second, ""},
		"token":         {"/token", "20", http.StatusTooManyRequests, 20 * time.Second, 21 * time.Second, ""},
		"no token long": {"/token", "3600", http.StatusServiceUnavailable, 0, time.Second, `answers 503 "Service Unavailable", and asks to come back in 1h0m0s`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &refusing{path: c.path, after: c.after, code: c.code}
				r := inMemory(t, f.ServeHTTP)
				began := time.Now()
				_, err := r.root(t.Context())
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("took %v, want %v to %v", took, c.least, c.most)
				}
				if c.want == "" && (err != nil || f.asked < 2) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || f.asked != 1) {
					t.Errorf("asked %d times: %v", f.asked, err)
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
