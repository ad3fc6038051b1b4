package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// repeat is an instance that changes to a protocol in which it says everything
// twice, after a word of its own.
func repeat(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Connection") != "Upgrade" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\nready\n")
	for {
		line, err := buffered.ReadString('\n')
		if err != nil {
			fmt.Fprint(c, "bye\n")
			return
		}
		fmt.Fprint(c, line, line)
	}
}

const ask = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n"

// contract: NET-6
func TestProtocolIsChanged(t *testing.T) {
	t.Parallel()
	f := newFront(t, newInstance(t, repeat), false, nil)
	c, err := net.Dial("tcp", f.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, ask+"early\n")
	in := bufio.NewReader(c)
	head := readHead(in)
	for _, want := range []string{"HTTP/1.1 101 ", "Connection: Upgrade\r\n", "Upgrade: WebSocket\r\n", "Sec-Websocket-Accept: yes\r\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("the client sees %q, want %q in it", head, want)
		}
	}
	expect := func(want string) {
		t.Helper()
		if line, err := in.ReadString('\n'); line != want+"\n" {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
	}
	expect("ready")
	expect("early")
	expect("early")
	for i := range 20 {
		line := strings.Repeat("x", 1000*i)
		fmt.Fprintln(c, line)
		expect(line)
		expect(line)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	expect("bye")
	if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
		t.Errorf("at the end came %q, %v", rest, err)
	}
	if res := f.result(t); res.Err != nil || res.Status != 101 || res.RequestBytes < 190_000 || res.ResponseBytes < 380_000 {
		t.Errorf("%+v", res)
	}
}

func TestChangedProtocolEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("time is over")
	var cancel context.CancelCauseFunc
	f := newFront(t, newInstance(t, repeat), false, func(r *http.Request) *http.Request {
		var ctx context.Context
		ctx, cancel = context.WithCancelCause(r.Context())
		return r.WithContext(ctx)
	})
	c, err := net.Dial("tcp", f.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, ask)
	in := bufio.NewReader(c)
	readHead(in)
	if line, err := in.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	began := time.Now()
	cancel(cause)
	if rest, _ := io.ReadAll(in); string(rest) != "bye\n" && len(rest) > 0 {
		t.Errorf("got %q", rest)
	}
	if res := f.result(t); !errors.Is(res.Err, cause) || !res.Answered || time.Since(began) > 4*time.Second {
		t.Errorf("%+v after %v", res, time.Since(began))
	}
}

// contract: ATK-22
func TestInstanceMayKeepItsProtocol(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, repeat)
	for name, c := range map[string]struct {
		h2c  bool
		head string
	}{
		"HTTP/2 knows no change":  {true, ask},
		"no Connection":           {false, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"},
		"another protocol":        {false, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"},
		"another version of HTTP": {false, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"},
		"old request":             {false, "GET / HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
	} {
		f := newFront(t, addr, c.h2c, nil)
		if got := raw(t, f, strings.Replace(c.head, "Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1)); !strings.HasPrefix(got, "HTTP/1.1 426 ") && !strings.HasPrefix(got, "HTTP/1.0 426 ") {
			t.Errorf("%s: the client sees %q", name, got)
		}
		if res := f.result(t); res.Err != nil || res.Status != 426 {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

func TestChangeToAnotherProtocolThanAsked(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: other\r\n\r\n",
	} {
		f := newFront(t, says(t, answer, true), false, nil)
		if got := raw(t, f, strings.Replace(ask, "Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1)); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("after %q the client sees %q", answer, got)
		}
		if res := f.result(t); !errors.Is(res.Err, ErrMalformed) {
			t.Errorf("%+v", res)
		}
	}
}
