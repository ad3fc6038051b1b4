package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"
)

// Services that the gRPC health service knows beside the one without a name.
const (
	wellService = "well"
	illService  = "ill"
)

// healthy is what probes ask.
func (s *server) healthy(w http.ResponseWriter, _ *http.Request) {
	s.asked.Add(1)
	w.WriteHeader(int(s.says.Load()))
}

// askedHealth tells how often /health has been asked.
func (s *server) askedHealth(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, s.asked.Load())
}

// setHealth changes what /health and the gRPC health service say, for good or
// for a time: ok, or with a status.
func (s *server) setHealth(_ http.ResponseWriter, r *http.Request) {
	status := http.StatusServiceUnavailable
	if r.FormValue("ok") == "true" {
		status = http.StatusOK
	}
	code, _ := strconv.Atoi(r.FormValue("code"))
	before := s.becomes(cmp.Or(code, status))
	if d, err := time.ParseDuration(r.FormValue("for")); err == nil {
		time.AfterFunc(d, func() { s.becomes(before) })
	}
}

// becomes changes the status, and returns the one before.
func (s *server) becomes(status int) (before int) {
	before = int(s.says.Swap(int64(status)))
	serving := grpc_health_v1.HealthCheckResponse_NOT_SERVING
	if status == http.StatusOK {
		serving = grpc_health_v1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", serving)
	return before
}
