package logs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"runnel/api/rest"
)

const (
	// StreamPath is the beginning of all paths that Stream answers.
	StreamPath = "/logs/v1/"
	// streamVerb is their end.
	streamVerb = ":stream"
)

// How often a follower looks for something new.
const (
	// minPause and maxPause are between two looks at the logs: the more, the
	// longer nothing has come.
	minPause = 50 * time.Millisecond
	maxPause = 400 * time.Millisecond
	// askEvery is how often it asks for new instances, unless that takes so long
	// that it would do little else: then it rests askRest times as long.
	askEvery = 500 * time.Millisecond
	askRest  = 20
)

// Stream answers GET requests below StreamPath, followed by the full name of a
// job, an execution, a service, a worker pool or a revision and ":stream": with
// what its tasks or instances have printed and the requests that they had, an
// Entry in JSON on each line, the oldest first. Fields of the query:
//
//	follow=true       go on until all executions there are now are over, or
//	                  the service or worker pool is deleted
//	limit=N           begin with the N newest
//	since=TIME        begin with those of a time (RFC 3339)
//	task=INDEX        only those of one task
//	severity=LEVEL    only those of a severity or a higher one
//	system=true       also what there is to say about the instances
//
// An answer that could not be brought to its end is cut off.
func (l *Logs) Stream() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := parseStream(strings.TrimPrefix(r.URL.Path, StreamPath), r.URL.Query())
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		s := stream{logs: l, request: request, query: request.query()}
		if err := s.begin(r.Context()); err != nil {
			rest.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Cache-Control", "no-store")
		s.control = http.NewResponseController(w)
		s.out = bufio.NewWriterSize(w, chunkSize)
		if s.run(r.Context()) != nil {
			panic(http.ErrAbortHandler) // what is there must not look whole
		}
	})
}

// query is what the request wants.
func (r streamRequest) query() query {
	q := query{task: r.task, from: at(r.since), before: lastKey, system: r.system}
	weight := weigh(r.severity)
	_, revision, one := strings.Cut(r.name, "/revisions/")
	if one || weight > 0 {
		q.match = func(e *Entry) bool {
			return weigh(e.Severity) >= weight && (!one || e.Resource.Labels["revision_name"] == revision)
		}
	}
	return q
}

// stream is an answer of Stream.
type stream struct {
	logs    *Logs
	request streamRequest
	query   query
	merge   *merge
	control *http.ResponseController
	out     *bufio.Writer
	buf     bytes.Buffer
	sent    int
}

// begin finds out what there is to send.
func (s *stream) begin(ctx context.Context) error {
	groups, err := s.logs.named(ctx, s.request.name)
	if err != nil {
		return err
	}
	if s.request.limit > 0 {
		if s.query.from, err = s.logs.newest(ctx, groups, s.query, s.request.limit); err != nil {
			return err
		}
	}
	groups = slices.DeleteFunc(groups, func(g group) bool {
		_, until := g.span()
		return later(until).UnixNano() < s.query.from.time
	})
	s.merge = newMerge(s.logs, groups, s.request.task)
	return nil
}

// run sends everything.
func (s *stream) run(ctx context.Context) error {
	ask, pause := time.Now().Add(askEvery), minPause
	for {
		sent := s.sent
		if err := s.send(ctx, ask); err != nil {
			return err
		}
		if !s.request.follow || s.merge.over() {
			return nil
		}
		if pause = min(2*pause, maxPause); s.sent > sent {
			pause = minPause
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		begin := time.Now()
		due := !begin.Before(ask)
		if err := s.merge.refresh(ctx, due); err != nil {
			return err
		}
		if due {
			ask = time.Now().Add(max(askEvery, askRest*time.Since(begin)))
		}
	}
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send sends what there is. A follower does not do so for longer than until:
// there may be new instances to be heard beside one that never falls silent.
func (s *stream) send(ctx context.Context, until time.Time) error {
	for !s.enough() {
		if s.request.follow && s.sent%256 == 255 && time.Now().After(until) {
			break
		}
		l, err := s.merge.next(ctx)
		if err != nil {
			return err
		}
		if l == nil {
			break
		}
		if err := s.one(l); err != nil {
			return err
		}
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	return s.control.Flush()
}

// enough reports whether as many entries have been sent as were asked for.
func (s *stream) enough() bool {
	return !s.request.follow && s.request.limit > 0 && s.sent == s.request.limit
}

// one sends the next entry of l, if it is wanted.
func (s *stream) one(l *log) error {
	if s.query.skips(l) {
		return s.merge.pass(l)
	}
	e, err := s.merge.take(l)
	if err != nil || !s.query.wants(&e) {
		return err
	}
	s.sent++
	s.buf.Reset()
	if err := encode(&s.buf, &e); err != nil {
		return err
	}
	_, err = s.out.Write(s.buf.Bytes())
	return err
}

// encode writes an entry as a line of JSON.
func encode(b *bytes.Buffer, e *Entry) error {
	j := json.NewEncoder(b)
	j.SetEscapeHTML(false) // people read it
	return j.Encode(e)
}
