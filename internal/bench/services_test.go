package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// counting is a server that answers as the services do, and its address.
func counting(t *testing.T) (seen *atomic.Int64, address string) {
	seen = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		_, _ = w.Write(make([]byte, answerSize)) // the client tells
	}))
	t.Cleanup(s.Close)
	return seen, s.Listener.Addr().String()
}

func TestLoadCountsWhatIsAnswered(t *testing.T) {
	t.Parallel()
	seen, address := counting(t)
	f, err := load(t.Context(), address, "any", 100*time.Millisecond, 0)
	if err != nil || len(f.took) < clients || int64(len(f.took)) != seen.Load() || f.perSecond() <= 0 {
		t.Errorf("counted %d of %d, %v", len(f.took), seen.Load(), err)
	}
}

func TestLoadKeepsItsRate(t *testing.T) {
	t.Parallel()
	_, address := counting(t)
	f, err := load(t.Context(), address, "any", 400*time.Millisecond, 1000)
	// Every connection may have one more or less than its share.
	if n := len(f.took); err != nil || n < 400-2*clients || n > 400+2*clients {
		t.Errorf("made %d requests, %v", n, err)
	}
}

// Who is late has its next request count from when it was due.
func TestSteadilyCatchesUp(t *testing.T) {
	t.Parallel()
	begun := time.Now().Add(-time.Hour)
	due := steadily(begun, time.Minute)
	for i := range 3 {
		if got := due(); !got.Equal(begun.Add(time.Duration(i) * time.Minute)) {
			t.Errorf("%d is due at %v", i, got)
		}
	}
}

func TestTakeAnswerWantsAGoodOne(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", answerSize)
	in := bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + body + "HTTP/1.1 429 Too Many Requests\r\n\r\n"))
	if err := takeAnswer(in); err != nil {
		t.Error(err)
	}
	if err := takeAnswer(in); err == nil {
		t.Error("429 is taken for an answer")
	}
	if err := takeAnswer(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\n\r\n" + body[1:]))); !errors.Is(err, io.EOF) {
		t.Errorf("half an answer: %v", err)
	}
}

func TestFirstByteWantsAGoodAnswer(t *testing.T) {
	t.Parallel()
	_, address := counting(t)
	if err := firstByte(t.Context(), address, "any"); err != nil {
		t.Error(err)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if err := firstByte(t.Context(), s.Listener.Addr().String(), "any"); err == nil {
		t.Error("404 is taken for an answer")
	}
}

func TestHandoverTellsWhatBecameOfRequests(t *testing.T) {
	t.Parallel()
	killed := time.Now()
	started := killed.Add(10 * time.Millisecond)
	at := func(ms int) time.Time { return killed.Add(time.Duration(ms) * time.Millisecond) }
	var r handoverRound
	r.count([]knock{
		{at(-5), nil}, {at(5), nil}, {at(90), nil}, {at(70), nil},
		{at(1), io.ErrUnexpectedEOF}, {at(2), fmt.Errorf("dial: %w", syscall.ECONNREFUSED)},
	}, killed, started)
	want := handoverRound{answered: 70 * time.Millisecond, started: 60 * time.Millisecond, done: 4, refused: 1, cut: 1}
	if r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
}

func TestChildrenOfFindsThem(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait() // it ends with its input
	}()
	all, err := childrenOf(os.Getpid())
	if err != nil || !slices.Contains(all, cmd.Process.Pid) {
		t.Errorf("%d is not among %v, %v", cmd.Process.Pid, all, err)
	}
	if _, err := workedOf(cmd.Process.Pid); err != nil {
		t.Error(err)
	}
	if own, err := shareOf(os.Getpid()); err != nil || own < 1<<20 {
		t.Errorf("this process has %d bytes, %v", own, err)
	}
}

func TestExchangeCarriesTheWholeBody(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) // what came is told
		fmt.Fprint(w, n)
	}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, io.LimitReader(anything{}, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(req, int64(len("100000"))); err != nil {
		t.Error(err)
	}
	req.Body = io.NopCloser(io.LimitReader(anything{}, 1))
	if err := exchange(req, 6); err == nil {
		t.Error("a short answer is taken")
	}
}
