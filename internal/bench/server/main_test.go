package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(answer))
	defer s.Close()
	for _, ask := range []struct {
		method, path string
		size         int
	}{
		{http.MethodGet, "/", 1 << 10},
		{http.MethodPost, "/", 1 << 10},
		{http.MethodGet, "/bytes?n=100000", 100_000},
	} {
		req, err := http.NewRequestWithContext(t.Context(), ask.method, s.URL+ask.path, bytes.NewReader(make([]byte, 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || n != int64(ask.size) || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %s, %d bytes, %v", ask.method, ask.path, resp.Status, n, err)
		}
	}
}
