package rig

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// Begun is a request that goes on while the test does other things.
type Begun struct {
	answer Answer
	over   chan struct{}
	// GiveUp has the client go away.
	GiveUp context.CancelFunc
}

// BeginGet asks a service while the test goes on.
func (d *Daemon) BeginGet(service, path string) *Begun {
	d.Host.Helper()
	return d.begin(http.MethodGet, service, path, nil)
}

func (d *Daemon) begin(method, service, path string, body io.Reader) *Begun {
	d.Host.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &Begun{over: make(chan struct{}), GiveUp: cancel}
	client := d.Requests()
	client.Timeout = 0
	client.Transport = inContext{ctx, client.Transport}
	var asking sync.WaitGroup
	asking.Go(func() {
		defer close(b.over)
		b.answer = d.Ask(client, method, service, path, body)
	})
	d.Host.Cleanup(func() {
		cancel()
		asking.Wait()
	})
	return b
}

// BeginDeploy begins what Deploy does. It is given up if it takes longer than
// life, or than the test.
func (d *Daemon) BeginDeploy(life time.Duration, name string, flags ...string) *Process {
	d.Host.Helper()
	p := d.Host.StartFor(life, d.Lead, d.deployment(name, flags)...)
	d.Host.Cleanup(p.abandon)
	return p
}

// inContext ends requests with a context.
type inContext struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip is next's, in that context.
func (w inContext) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.next.RoundTrip(r.WithContext(w.ctx))
}

// Wait is its answer.
func (b *Begun) Wait() Answer {
	<-b.over
	return b.answer
}

// IsOver reports whether it has its answer.
func (b *Begun) IsOver() bool {
	select {
	case <-b.over:
		return true
	default:
		return false
	}
}

// Held is a request that an instance has until the test lets it go: the server
// echoes a body that does not end before.
type Held struct {
	host  *Host
	body  *io.PipeWriter
	resp  *http.Response
	begin time.Time
}

// Hold has an instance of the test server busy with a request, and returns when
// it has it.
func (d *Daemon) Hold(service string) *Held {
	d.Host.Helper()
	read, write := io.Pipe()
	h := &Held{host: d.Host, body: write, begin: time.Now()}
	client := d.Requests()
	client.Timeout = 0
	ctx, cancel := context.WithCancel(context.Background())
	d.Host.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+service+".run.localhost/echo", read)
	if err != nil {
		d.Host.Fatal(err)
	}
	var saying sync.WaitGroup
	saying.Go(func() { _, _ = io.WriteString(write, "held ") }) // it is missed below
	patient := time.AfterFunc(Patience(), cancel)
	h.resp, err = client.Do(r)
	if err == nil {
		_, err = io.ReadFull(h.resp.Body, make([]byte, len("held ")))
	}
	if !patient.Stop() || err != nil {
		d.Host.Fatalf("no instance of %s takes a request: %v %v", service, err, h.resp)
	}
	saying.Wait()
	d.Host.Cleanup(func() { _ = write.Close(); _ = h.resp.Body.Close() }) // nobody waits for more
	return h
}

// Finish ends the request in the way that clients do, and gives its answer.
func (h *Held) Finish() Answer {
	h.host.Helper()
	if _, err := io.WriteString(h.body, "to the end"); err != nil {
		return Answer{Err: err, Took: time.Since(h.begin)}
	}
	_ = h.body.Close() // a pipe's never fails
	return h.Rest()
}

// Rest is what comes back without the client's doing anything more.
func (h *Held) Rest() Answer {
	h.host.Helper()
	text, err := io.ReadAll(h.resp.Body)
	return Answer{
		Code: h.resp.StatusCode, Header: h.resp.Header, Body: string(text), Took: time.Since(h.begin), Err: err,
		Protocol: h.resp.Proto,
	}
}
