package metadata_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"runnel/metadata"
)

// contract: MD-14
func TestEveryAnswerHasAnETagOfItsBody(t *testing.T) {
	t.Parallel()
	url := start(t, first)
	seen := map[string]string{}
	for _, path := range []string{"/", v1 + "instance/id", v1 + "instance/?recursive=true", v1 + "instance/zone"} {
		resp, body := get(t, url+path)
		etag := resp.Header.Get("ETag")
		if again, _ := get(t, url+path); etag == "" || again.Header.Get("ETag") != etag {
			t.Errorf("GET %s: ETag %q, then %q", path, etag, again.Header.Get("ETag"))
		}
		if other, ok := seen[etag]; ok {
			t.Errorf("%q and %q share an ETag", body, other)
		}
		seen[etag] = body
	}
}

// ask runs one request for instance/id inside a bubble of fake time and
// returns when it was answered.
func ask(t *testing.T, ctx context.Context, query string) (took time.Duration, w *httptest.ResponseRecorder) {
	t.Helper()
	ctx = metadata.WithIdentity(ctx, func() *metadata.Identity { return &first })
	r := httptest.NewRequestWithContext(ctx, "GET", "http://metadata"+v1+"instance/id"+query, nil)
	r.Header.Set("Metadata-Flavor", "Google")
	w = httptest.NewRecorder()
	w.Code = 0
	began := time.Now()
	metadata.New(metadata.Config{}).ServeHTTP(w, r)
	return time.Since(began), w
}

// contract: MD-14
func TestWaitingForAChangeHoldsTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, w := ask(t, t.Context(), "")
		known := "last_etag=" + w.Header().Get("ETag")
		for query, want := range map[string]time.Duration{
			"?wait_for_change=true":                               0, // knows nothing yet
			"?wait_for_change=true&last_etag=0":                   0, // knows something else
			"?" + known:                                           0, // does not want to wait
			"?wait_for_change=true&timeout_sec=90&" + known:       90 * time.Second,
			"?wait_for_change=true&" + known:                      time.Hour,
			"?wait_for_change=true&timeout_sec=999999&" + known:   time.Hour,
			"?wait_for_change=true&timeout_sec=nonsense&" + known: time.Hour,
		} {
			took, w := ask(t, t.Context(), query)
			if took != want || w.Code != http.StatusOK || w.Body.String() != first.InstanceID {
				t.Errorf("%s: %d after %v, want 200 after %v", query, w.Code, took, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if took, w := ask(t, ctx, "?wait_for_change=true&"+known); took != time.Minute || w.Code == http.StatusOK && w.Body.Len() > 0 {
			t.Errorf("after the client left: %q after %v, want nothing after 1m", w.Body, took)
		}
	})
}

func TestWaitingOutlastsTheServersTimeouts(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = metadata.NewServer(metadata.New(metadata.Config{}))
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	inner := srv.Config.Handler
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(metadata.WithIdentity(r.Context(), func() *metadata.Identity { return &first })))
	})
	srv.Start()
	defer srv.Close()
	resp, _ := get(t, srv.URL+v1+"instance/id")
	resp, body := get(t, srv.URL+v1+"instance/id?wait_for_change=true&timeout_sec=1&last_etag="+resp.Header.Get("ETag"))
	if resp.StatusCode != http.StatusOK || body != first.InstanceID {
		t.Errorf("after waiting = %d %q", resp.StatusCode, body)
	}
}
