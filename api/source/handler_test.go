package source

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"runnel/control/controltest"
)

// post sends an upload to a handler.
func post(t *testing.T, h http.Handler, query string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+Path+query, body))
	return w
}

// unsized is a body of which nobody knows the length.
type unsized struct{ io.Reader }

func TestUploadsAreAnswered(t *testing.T) {
	t.Parallel()
	h := newHandler(controltest.New(t).Control, 100, 1)
	large := strings.Repeat("x", 101)
	for _, c := range []struct {
		query string
		body  io.Reader
		code  int
		says  string
	}{
		{"?base=debian&name=team/site", unsized{strings.NewReader("a layer")}, 200, "source.localhost/team/site@sha256:"},
		{"", unsized{strings.NewReader("an archive")}, 200, "source.localhost/image@sha256:"},
		{"?name=site&alt=json", strings.NewReader(large[:100]), 200, "source.localhost/site@sha256:"},
		{"", strings.NewReader(large), 413, "an upload may have 100 bytes"},
		{"?base=debian", unsized{strings.NewReader(large)}, 413, "an upload may have 100 bytes"},
		{"", httputil.NewChunkedReader(strings.NewReader("zz\r\nno chunk")), 400, "the body cannot be read: invalid byte in chunk length"},
		{"?base=", strings.NewReader("x"), 400, "base: want an image"},
		{"?base=A%20B", strings.NewReader("x"), 400, "base"},
		{"?name=A", strings.NewReader("x"), 400, "lower-case"},
		{"?bass=debian", strings.NewReader("x"), 400, "bass: there is no such parameter"},
		{"?base=a&base=b", strings.NewReader("x"), 400, "base: it is there twice"},
		{"?base=%zz", strings.NewReader("x"), 400, "the query cannot be read"},
	} {
		w := post(t, h, c.query, c.body)
		var answer struct {
			Answer
			Error struct {
				Code    int
				Message string
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Errorf("%s: %v in %s", c.query, err, w.Body)
		}
		said := answer.Image + answer.Error.Message
		if w.Code != c.code || !strings.Contains(said, c.says) || c.code != 200 && answer.Error.Code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.query, w.Code, w.Body, c.code, c.says)
		}
	}
}

// Only so many uploads are taken at once.
func TestUploadsAreFew(t *testing.T) {
	t.Parallel()
	h := newHandler(controltest.New(t).Control, 100, 1)
	r, w := io.Pipe()
	first := make(chan int, 1)
	go func() { first <- post(t, h, "", r).Code }()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := post(t, h, "", strings.NewReader("x")); got.Code != http.StatusTooManyRequests || !strings.Contains(got.Body.String(), "1 uploads are under way") {
		t.Errorf("a second one: %d %s", got.Code, got.Body)
	}
	_ = w.Close()
	if code := <-first; code != 200 {
		t.Errorf("the first one: %d", code)
	}
	if got := post(t, h, "", strings.NewReader("x")); got.Code != 200 {
		t.Errorf("the next one: %d %s", got.Code, got.Body)
	}
}
