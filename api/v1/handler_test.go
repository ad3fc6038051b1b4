package v1_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "runnel/api/v1"
	"runnel/control/controltest"
)

const (
	namespace = "/apis/run.googleapis.com/v1/namespaces/" + controltest.Project
	here      = "us-central1-localhost:8787"
	anywhere  = "localhost:8787"
)

// client calls the handler of a world.
type client struct {
	t       *testing.T
	handler http.Handler
	world   *controltest.World
	// host is whom requests are sent to.
	host string
}

func newClient(t *testing.T) *client {
	w := controltest.New(t)
	return &client{t: t, handler: v1.NewHandler(w.Control), world: w, host: here}
}

// object is a decoded answer.
type object struct {
	t    *testing.T
	tree any
}

// at is the value at a path such as status.conditions.0.type, nil if there is
// none. Slashes and dots in a key are written in a part of their own.
func (o object) at(path ...string) any {
	o.t.Helper()
	v := o.tree
	for _, key := range path {
		switch node := v.(type) {
		case map[string]any:
			v = node[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(node) {
				return nil
			}
			v = node[i]
		default:
			return nil
		}
	}
	return v
}

// text is what is at path, as JSON writes it.
func (o object) text(path string) string {
	o.t.Helper()
	data, err := json.Marshal(o.at(strings.Split(path, " ")...))
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.Trim(string(data), `"`)
}

// expect checks values of an object.
func (o object) expect(want map[string]string) {
	o.t.Helper()
	for path, value := range want {
		if got := o.text(path); got != value {
			o.t.Errorf("%s is %s, want %s", path, got, value)
		}
	}
}

// call sends a request and wants code for an answer.
func (c *client) call(code int, method, path, body string) object {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, "http://"+c.host+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	data, err := io.ReadAll(w.Result().Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if w.Code != code {
		c.t.Fatalf("%s %s = %d, want %d\n%s", method, path, w.Code, code, data)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=UTF-8" {
		c.t.Errorf("%s %s answers with %q", method, path, got)
	}
	o := object{t: c.t}
	if err := json.Unmarshal(data, &o.tree); err != nil {
		c.t.Fatalf("%s %s: %v\n%s", method, path, err, data)
	}
	return o
}

// until reads path until done, and fails the test if that takes too long.
func (c *client) until(path string, done func(object) bool) object {
	c.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		o := c.call(http.StatusOK, "GET", path, "")
		if done(o) {
			return o
		}
		select {
		case <-deadline:
			c.t.Fatalf("%s does not come to an end: %v", path, o.tree)
		case <-tick.C:
		}
	}
}

// settled reports whether the first condition is terminal.
func settled(o object) bool { return o.text("status conditions 0 status") != "Unknown" }

// gone waits until there is nothing at path.
func (c *client) gone(path string) {
	c.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		r := httptest.NewRequestWithContext(c.t.Context(), "GET", "http://"+c.host+path, nil)
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		if w.Code == http.StatusNotFound {
			return
		}
		select {
		case <-deadline:
			c.t.Fatalf("%s is still there: %s", path, w.Body)
		case <-tick.C:
		}
	}
}

// create makes a job and waits until it is ready.
func (c *client) create(name string) object {
	c.t.Helper()
	c.call(http.StatusOK, "POST", namespace+"/jobs", body(name, ""))
	return c.until(namespace+"/jobs/"+name, settled)
}

// body is a job as clients send it; meta is more of its metadata.
func body(name, meta string) string {
	return `{"apiVersion":"run.googleapis.com/v1","kind":"Job","metadata":{"name":"` + name + `"` + meta + `},"spec":{"template":{"spec":{"taskCount":2,
		"template":{"spec":{"containers":[{"image":"busybox"}],"nodeSelector":{}}}}}},"status":{"latestCreatedExecution":{}}}`
}
