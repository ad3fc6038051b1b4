package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

// dial sends what comes to an address, byte for byte, and what the other side
// says until it hangs up, or until the time is over that it is waited for.
func (s *server) dial(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	words, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	wait, err := time.ParseDuration(query.Get("wait"))
	if err != nil {
		wait = 30 * time.Second
	}
	c, err := (&net.Dialer{Timeout: wait}).DialContext(r.Context(), "tcp", query.Get("to"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(wait)) // a connection has one
	_, err = c.Write(words)
	var heard bytes.Buffer
	if err == nil {
		_, _ = io.Copy(&heard, c) // an answer that is cut off is one
	}
	_, _ = w.Write(heard.Bytes()) // who has gone needs nothing
}
