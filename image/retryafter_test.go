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

// contract: REG-6
// A registry says when to come back: that long is waited, if it is not too long.
func TestRetryAfterIsWaitedOut(t *testing.T) {
	for name, c := range map[string]struct {
		after       string
		code        int
		least, most time.Duration
		want        string // in the error; "" for none
	}{
		"seconds":      {"20", http.StatusTooManyRequests, 20 * time.Second, 21 * time.Second, ""},
		"unavailable":  {"20", http.StatusServiceUnavailable, 20 * time.Second, 21 * time.Second, ""},
		"nothing said": {"", http.StatusTooManyRequests, retryDelay, time.Second, ""},
		"less than is": {"0", http.StatusTooManyRequests, retryDelay, time.Second, ""},
		"too long":     {"3600", http.StatusTooManyRequests, 0, time.Second, `answers 429 "Too Many Requests", and asks to come back in 1h0m0s`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
					if !strings.Contains(req.URL.Path, "/manifests/") {
						return
					}
					if asked++; asked == 1 {
						w.Header().Set("Retry-After", c.after)
						w.WriteHeader(c.code)
					}
				})
				began := time.Now()
				_, err := r.root(t.Context())
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("took %v, want %v to %v", took, c.least, c.most)
				}
				if c.want == "" && (err != nil || asked != 2) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || asked != 1) {
					t.Errorf("asked %d times: %v", asked, err)
				}
			})
		})
	}
}
