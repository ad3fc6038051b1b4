package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// note keeps what it has seen of a request in memory: method, target, host,
// fields and body. What follows /note/ in the path says whose it is.
func (s *server) note(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // it was not sent whole, and is not answered
	}
	line := fmt.Sprintf("%s %s %s %q %q %q", r.Method, r.RequestURI, r.Host, body, r.Header, r.Trailer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, line)
}

// noted tells the requests of one that were noted, a line each.
func (s *server) noted(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.notes {
		if strings.Contains(line, " /note/"+r.FormValue("of")) {
			fmt.Fprintln(w, line)
		}
	}
}
