package forward

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// contract: NET-7, ERR-502
func TestAnswersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"nothing":                 "",
		"half a head":             ok + "Content-Le",
		"no version":              "200 OK\r\n\r\n",
		"another version":         "HTTP/2.0 200 OK\r\n\r\n",
		"old version":             "HTTP/0.9 200 OK\r\n\r\n",
		"long version":            "HTTP/1.10 200 OK\r\n\r\n",
		"short status":            "HTTP/1.1 20 OK\r\n\r\n",
		"signed status":           "HTTP/1.1 +20 OK\r\n\r\n",
		"long status":             "HTTP/1.1 2000 OK\r\n\r\n",
		"status below all":        "HTTP/1.1 099 OK\r\n\r\n",
		"control in the reason":   "HTTP/1.1 200 O\x01K\r\n\r\n",
		"control in a value":      ok + "X: a\x01\r\nContent-Length: 0\r\n\r\n",
		"zero in a value":         ok + "X: a\x00\r\nContent-Length: 0\r\n\r\n",
		"delete in a value":       ok + "X: a\x7f\r\nContent-Length: 0\r\n\r\n",
		"not ASCII in a value":    ok + "X: \xc3\xa4\r\nContent-Length: 0\r\n\r\n",
		"carriage return alone":   ok + "X: a\rY: b\r\nContent-Length: 0\r\n\r\n",
		"not ASCII in a name":     ok + "X\x80: a\r\nContent-Length: 0\r\n\r\n",
		"space in a name":         ok + "X Y: a\r\nContent-Length: 0\r\n\r\n",
		"space before the colon":  ok + "Content-Length : 0\r\n\r\n",
		"no name":                 ok + ": a\r\nContent-Length: 0\r\n\r\n",
		"no colon":                ok + "X\r\nContent-Length: 0\r\n\r\n",
		"line that goes on":       ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"length and chunks":       ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":             ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"lengths in a list":       ok + "Content-Length: 5, 5\r\n\r\nhello",
		"negative length":         ok + "Content-Length: -1\r\n\r\n",
		"signed length":           ok + "Content-Length: +1\r\n\r\nh",
		"hexadecimal length":      ok + "Content-Length: 0x5\r\n\r\nhello",
		"enormous length":         ok + "Content-Length: 99999999999999999999\r\n\r\nhello",
		"empty length":            ok + "Content-Length:\r\n\r\n",
		"another coding":          ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"coding that is none":     ok + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two codings":             ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks in an old answer": "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"too many fields":         ok + strings.Repeat("X: y\r\n", 300) + "\r\n",
		"too long a head":         ok + "X: " + strings.Repeat("y", 70_000) + "\r\n\r\n",
		"other protocol":          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"interim without end":     strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 30),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, says(t, answer, true), false, nil)
			in, body := get(t, client(t, false), f.URL)
			if in.StatusCode != http.StatusBadGateway {
				t.Errorf("the client has got status %d, %q", in.StatusCode, body)
			}
			if res := f.result(t); !errors.Is(res.Err, ErrMalformed) || res.Answered || !res.Sent || res.Status != 0 {
				t.Errorf("%+v", res)
			}
		})
	}
}

// contract: ERR-502
func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, answer := range map[string]string{
		"short":                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"short and long":       "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 500_000),
		"no last chunk":        chunked + "5\r\nhello\r\n",
		"half a chunk":         chunked + "5\r\nhe",
		"no size":              chunked + "\r\nhello\r\n0\r\n\r\n",
		"size is no number":    chunked + "x\r\nhello\r\n0\r\n\r\n",
		"signed size":          chunked + "+5\r\nhello\r\n0\r\n\r\n",
		"prefixed size":        chunked + "0x5\r\nhello\r\n0\r\n\r\n",
		"enormous size":        chunked + "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"size ends with LF":    chunked + "5\nhello\r\n0\r\n\r\n",
		"chunk ends with LF":   chunked + "5\r\nhello\n0\r\n\r\n",
		"chunk ends oddly":     chunked + "5\r\nhelloX\n0\r\n\r\n",
		"chunk is longer":      chunked + "4\r\nhello\r\n0\r\n\r\n",
		"control in extension": chunked + "5;a=\x01\r\nhello\r\n0\r\n\r\n",
		"long extension":       chunked + "5;a=" + strings.Repeat("b", 300) + "\r\nhello\r\n0\r\n\r\n",
		"bad trailer":          chunked + "5\r\nhello\r\n0\r\nX y: a\r\n\r\n",
		"no end of trailers":   chunked + "5\r\nhello\r\n0\r\nX: a\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, says(t, answer, true), false, nil)
			in, err := client(t, false).Get(f.URL)
			if err == nil {
				defer in.Body.Close()
				_, err = io.ReadAll(in.Body)
			}
			if err == nil {
				t.Error("the client takes the answer for whole")
			}
			if res := f.result(t); !errors.Is(res.Err, ErrMalformed) || !res.Answered || res.Status != 200 {
				t.Errorf("%+v", res)
			}
		})
	}
}

func TestAnswersThatCanBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer, want string
	}{
		"lines that end with LF": {"HTTP/1.1 200 OK\nX: 1\nContent-Length: 5\n\nhello", "200 hello"},
		"no reason":              {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "200 hello"},
		"odd status":             {"HTTP/1.1 799 Odd\r\nContent-Length: 5\r\n\r\nhello", "799 hello"},
		"ended by the end":       {"HTTP/1.0 200 OK\r\n\r\nhello", "200 hello"},
		"the same length twice":  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "200 hello"},
		"chunks":                 {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2 ;a=b\r\nhe\r\n0003\r\nllo\r\n00\r\n\r\n", "200 hello"},
		"after interim ones":     {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello"},
		"no content":             {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", "204 "},
		"not modified":           {"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "304 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, says(t, c.answer, true), false, nil)
			in, body := get(t, client(t, false), f.URL)
			if got := fmt.Sprint(in.StatusCode, " ", body); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if res := f.result(t); res.Err != nil {
				t.Error(res.Err)
			}
		})
	}
}

// contract: NET-8
func TestCookiesAreKeptOutOfSharedCaches(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		if r.URL.Path == "/cookie" {
			w.Header().Add("Set-Cookie", "a=b")
			w.Header().Add("Set-Cookie", "c=d")
		}
	})
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		in, _ := get(t, client(t, false), f.URL+"/cookie")
		if got := in.Header["Cache-Control"]; fmt.Sprint(got) != "[private]" || len(in.Header["Set-Cookie"]) != 2 {
			t.Errorf("h2c %v: %v", h2c, in.Header)
		}
		in, _ = get(t, client(t, false), f.URL)
		if got := in.Header["Cache-Control"]; fmt.Sprint(got) != "[public, max-age=60]" {
			t.Errorf("h2c %v: %v", h2c, in.Header)
		}
	}
}

// contract: NET-10
func TestLargeAnswersOverHTTP1(t *testing.T) {
	t.Parallel()
	const limit = 32 << 20
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		n := limit
		if r.URL.Path != "/limit" {
			n++
		}
		if r.URL.Path != "/chunks" {
			w.Header().Set("Content-Length", fmt.Sprint(n))
		}
		if r.Method == http.MethodHead {
			return
		}
		for piece := make([]byte, 1<<16); n > 0; n -= len(piece) {
			_, _ = w.Write(piece[:min(n, len(piece))])
		}
	})
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		for _, c := range []struct {
			method, path string
			h2, refused  bool
		}{
			{"GET", "/limit", false, false}, {"GET", "/over", false, true}, {"GET", "/over", true, false}, {"GET", "/chunks", false, false}, {"HEAD", "/over", false, false},
		} {
			req, _ := http.NewRequest(c.method, f.URL+c.path, nil)
			in, err := client(t, c.h2).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, _ := io.Copy(io.Discard, in.Body)
			in.Body.Close()
			res := f.result(t)
			if refused := errors.Is(res.Err, ErrTooLarge); refused != c.refused || !refused && (res.Err != nil || c.method == "GET" && n < limit) {
				t.Errorf("h2c %v, %+v: %d bytes, %+v", h2c, c, n, res)
			}
		}
	}
}

func TestTrailersArrive(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "hello")
		if r.URL.Path == "/flush" {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Sum", "5"+r.Trailer.Get("X-Req"))
		w.Header().Set(http.TrailerPrefix+"X-Late", "6")
		w.Header().Set(http.TrailerPrefix+"Authorization", "7")
	})
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		for _, h2 := range []bool{false, true} {
			for _, path := range []string{"/", "/flush"} {
				req, _ := http.NewRequest("POST", f.URL+path, io.MultiReader(strings.NewReader("body")))
				req.Trailer = http.Header{"X-Req": {"r"}}
				in, err := client(t, h2).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				read(t, in)
				if in.Trailer.Get("X-Sum") != "5r" || in.Trailer.Get("X-Late") != "6" || len(in.Trailer) != 2 {
					t.Errorf("h2c %v, client h2 %v, %s: trailers %v", h2c, h2, path, in.Trailer)
				}
			}
		}
	}
}

func TestAnswerBeforeTheBodyHasCome(t *testing.T) {
	t.Parallel()
	seen := make(chan error, 1)
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		readHead(in)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
		_, err := io.Copy(io.Discard, in)
		seen <- err
	})
	for _, h2 := range []bool{false, true} {
		f := newFront(t, addr, false, nil)
		body, more := io.Pipe()
		req, _ := http.NewRequest("POST", f.URL, body)
		go io.WriteString(more, "the beginning") // Goes out with the head.
		in, err := client(t, h2).Do(req)
		if err != nil {
			more.Close()
			t.Fatal(err)
		}
		if got := read(t, in); got != "early" {
			t.Errorf("got %q", got)
		}
		if res := f.result(t); res.Err != nil {
			t.Error(res.Err)
		}
		more.Close()
		select {
		case <-seen: // The connection was closed: half a request is not followed by another.
		case <-time.After(10 * time.Second):
			t.Error("the instance still waits for the rest of the body")
		}
	}
}

func TestBothDirectionsAtATime(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprint(w, "re: ", line)
			_ = http.NewResponseController(w).Flush()
		}
	})
	for _, h2c := range []bool{false, true} {
		for _, h2 := range []bool{false, true} {
			f := newFront(t, addr, h2c, nil)
			body, more := io.Pipe()
			req, _ := http.NewRequest("POST", f.URL, body)
			go io.WriteString(more, "0\n")
			in, err := client(t, h2).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(in.Body)
			for i := range 5 {
				if i > 0 {
					fmt.Fprintln(more, i)
				}
				if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("re: %d\n", i) {
					t.Fatalf("h2c %v, client h2 %v: got %q, %v", h2c, h2, line, err)
				}
			}
			more.Close()
			if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
				t.Errorf("at the end came %q, %v", rest, err)
			}
			in.Body.Close()
			if res := f.result(t); res.Err != nil {
				t.Error(res.Err)
			}
		}
	}
}
