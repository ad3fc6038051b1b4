package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "runnel/api/v1"
	"runnel/api/wire"
	"runnel/control/controltest"
)

// Shutdown lets a call finish that does something, and ends one that waits.
func TestShutdown(t *testing.T) {
	t.Parallel()
	begun, release, cancelled := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	v1 := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-release
		fmt.Fprint(w, r.Context().Err())
	})
	c := handle("/stream", func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-r.Context().Done()
		close(cancelled)
	})
	c.V1 = v1
	s := start(t, c)
	answer := ask(newClient(t, false, nil), "GET", "http://"+s.addr+"/apis/x")
	streamed := ask(newClient(t, true, nil), "GET", "http://"+s.addr+"/stream")
	<-begun
	<-begun
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	await(t, cancelled, "the stream goes on")
	select {
	case err := <-done:
		t.Errorf("shutdown does not wait: %v", err)
	default:
	}
	close(release)
	if text := <-answer; text != "<nil>" {
		t.Errorf("the call was cut off: %s", text)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-streamed
}

// ask sends a request on a goroutine of its own, and returns the body or the
// error.
func ask(client *http.Client, method, url string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			answer <- err.Error()
			return
		}
		resp, err := client.Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		text, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			text = []byte(err.Error())
		}
		answer <- string(text)
	}()
	return answer
}

// Whoever waits for an operation is told to ask again, and so finds the daemon
// that comes next.
func TestShutdownEndsWaits(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	release := w.Images.Hold("example.com/app:1")
	defer release()
	s := start(t, wire.Config{Control: w.Control})
	conn := dial(t, s.addr)
	op, err := runpb.NewJobsClient(conn).CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "j", Job: newJob()})
	if err != nil || op.GetDone() {
		t.Fatalf("%v %v", op, err)
	}
	operations := longrunningpb.NewOperationsClient(conn)
	if op, err := operations.WaitOperation(t.Context(), &longrunningpb.WaitOperationRequest{Name: op.GetName(), Timeout: durationpb.New(time.Millisecond)}); err != nil || op.GetDone() {
		t.Errorf("wait for a millisecond: %v %v", op, err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := operations.WaitOperation(t.Context(), &longrunningpb.WaitOperationRequest{Name: op.GetName()})
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-waited; status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

// The same holds for who waits by v1.
func TestShutdownEndsWaitsOfV1(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	release := w.Images.Hold("example.com/app:1")
	defer release()
	begun, answers := make(chan struct{}), v1.NewHandler(w.Control)
	s := start(t, wire.Config{Control: w.Control, V1: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		answers.ServeHTTP(w, r)
	})})
	_, op, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "j", Job: newJob()})
	if err != nil || op.GetDone() {
		t.Fatalf("%v %v", op, err)
	}
	answer := ask(newClient(t, false, nil), "POST", "http://"+s.addr+"/v1/"+op.GetName()+":wait")
	await(t, begun, "the call does not come")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if text := <-answer; !strings.Contains(text, `"UNAVAILABLE"`) {
		t.Error(text)
	}
}

// When the time for it is over, Shutdown ends what goes on.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	c := wire.Config{V1: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})}
	s := start(t, c)
	ended := ask(newClient(t, false, nil), "GET", "http://"+s.addr+"/apis/x")
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err == nil {
		t.Error("no error though a call was cut off")
	}
	<-ended
}
