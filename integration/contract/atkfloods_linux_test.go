package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"runnel/integration/rig"
)

// contract: ATK-23
// Who is slow, or floods a connection, loses it, and has had little of the
// service it asks for; another service answers all the while.
func TestATK23SlowAndFloodingClientsAreBounded(t *testing.T) {
	s := ownSite(t, "--max-instances", "1", "--concurrency", "1000")
	other, over := plain.beside(s), make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { other.answersUntil(over) })
	var attacks sync.WaitGroup
	for _, text := range []string{"", "GET /", "GET / HTTP/1.1\r\nHost: HOST\r\nA: b\r\n"} {
		attacks.Go(func() { s.isCutOff(text) })
	}
	attacks.Go(func() {
		text := "GET / HTTP/1.1\r\nHost: HOST\r\n" + strings.Repeat("a:b\r\n", 20_000) + "\r\n"
		if back := s.send(text); !strings.HasPrefix(back, "HTTP/1.1 431 ") {
			t.Errorf("endless headers: %q", rig.Clip(back))
		}
	})
	for name, flood := range floods {
		c := s.frames()
		attacks.Go(func() {
			if c.survives(flood) {
				t.Errorf("%s: the connection goes on", name)
			}
		})
	}
	attacks.Wait()
	close(over)
	others.Wait()
	words := strings.Fields(s.get("/most").Is(s.Host, 200).Body)
	if seen, err := strconv.Atoi(words[1]); err != nil || seen > most/5 {
		t.Errorf("the application has had %s requests", words[1])
	}
}

// answersUntil has the service answer again and again.
func (s site) answersUntil(over chan struct{}) {
	client := s.Requests()
	for {
		s.Ask(client, http.MethodGet, s.name, "/", nil).Is(s.Host, 200)
		select {
		case <-over:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// isCutOff sends a part of a request and nothing else, for which there are ten
// seconds.
func (s site) isCutOff(text string) {
	c := s.dial()
	defer c.Close()
	begin := time.Now()
	_, _ = io.WriteString(c, strings.ReplaceAll(text, "HOST", s.name+".run.localhost")) // it may be closed already
	_, err := io.Copy(io.Discard, c)
	var timeout net.Error
	if took := time.Since(begin); errors.As(err, &timeout) && timeout.Timeout() || took < 9*time.Second {
		s.t.Errorf("who sends %q is cut off after %v, %v", text, took, err)
	}
}

// most is how many frames a flood has.
const most = 50_000

// floods send the frame with a number.
var floods = map[string]func(f *frames, n int) error{
	"requests that are taken back": func(f *frames, n int) error {
		id := uint32(2*n + 1)
		err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block("/"), EndStream: true, EndHeaders: true})
		return errors.Join(err, f.WriteRSTStream(id, http2.ErrCodeCancel))
	},
	"headers without an end": func(f *frames, n int) error {
		if n == 0 {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block("/")})
		}
		var b bytes.Buffer
		err := hpack.NewEncoder(&b).WriteField(hpack.HeaderField{Name: fmt.Sprint("a", n), Value: strings.Repeat("b", 8000), Sensitive: true})
		return errors.Join(err, f.WriteContinuation(1, false, b.Bytes()))
	},
	"a request that breaks the rules": func(f *frames, n int) error {
		return f.WriteData(uint32(2*n+1), true, nil) // of a stream that was never opened
	},
}

// survives writes a flood, and reports whether the daemon still answers on the
// connection then, and has not hung up.
func (f *frames) survives(flood func(f *frames, n int) error) bool {
	over := make(chan bool, 1)
	go func() {
		for {
			frame, err := f.ReadFrame()
			_, away := frame.(*http2.GoAwayFrame)
			ping, asked := frame.(*http2.PingFrame)
			if err != nil || away || asked && ping.IsAck() {
				over <- err == nil && !away
				return
			}
		}
	}()
	for n := range most {
		if len(over) > 0 || flood(f, n) != nil {
			break
		}
	}
	_ = f.WritePing(false, [8]byte{}) // an error is the end that is looked for
	return <-over
}
