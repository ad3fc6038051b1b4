package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// spare is how many descriptors hold leaves for requests, patience how long it
// waits for answers.
const (
	spare    = 20
	patience = 15 * time.Second
)

// hold keeps connections open: as many as n says, to an address, each with a
// request for a path of its metadata server that is answered or not. Without an
// address it keeps files, as many as there may be. It says how many there are.
func (s *server) hold(w http.ResponseWriter, r *http.Request) {
	var kept []io.Closer
	var answered int64
	var err error
	if to := r.FormValue("to"); to != "" {
		n, _ := strconv.Atoi(r.FormValue("n"))
		kept, answered = connections(to, r.FormValue("path"), n)
	} else {
		for err == nil {
			var f *os.File
			if f, err = os.Open(os.DevNull); err == nil {
				kept = append(kept, f)
			}
		}
		for _, f := range kept[:min(spare, len(kept))] {
			_ = f.Close() // nothing was written
		}
	}
	s.mu.Lock()
	s.kept = append(s.kept, kept...)
	s.mu.Unlock()
	answer(w, map[string]any{"kept": len(kept), "answered": answered, "error": fmt.Sprint(err)})
}

// connections opens that many, and waits for their answers.
func connections(to, path string, n int) (kept []io.Closer, answered int64) {
	var asking sync.WaitGroup
	var answers atomic.Int64
	for range n {
		c, err := net.DialTimeout("tcp", to, 5*time.Second)
		if err != nil {
			break
		}
		kept = append(kept, c)
		asking.Go(func() {
			_ = c.SetDeadline(time.Now().Add(patience))                                                         // who does not answer by then never will
			_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n\r\n", path) // the read tells
			if _, err := c.Read(make([]byte, 1)); err == nil {
				answers.Add(1)
			}
		})
	}
	asking.Wait()
	return kept, answers.Load()
}
