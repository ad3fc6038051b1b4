// Command server is the program of the services that bench deploys, and of their
// peers: a small HTTP server. With -proxy it is a plain reverse proxy instead. It
// listens on $PORT, or takes the socket that its parent has left it.
//
//	GET /             1 KB
//	GET /bytes?n=N    N bytes, without a length
//	GET /address      where its host's other processes can reach it
//	POST /            takes the body
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
)

func main() {
	proxy := flag.String("proxy", "", "`URL` to pass requests on to")
	flag.Parse()
	if err := serve(*proxy); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(proxy string) error {
	l, err := listen()
	if err != nil {
		return err
	}
	if proxy == "" {
		return http.Serve(l, http.HandlerFunc(answer))
	}
	to, err := url.Parse(proxy)
	if err != nil {
		return err
	}
	p := httputil.NewSingleHostReverseProxy(to)
	p.Transport = &http.Transport{MaxIdleConnsPerHost: 1000}
	return http.Serve(l, p)
}

// listen takes over a listener as systemd hands it on, where there is one.
func listen() (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") == "1" {
		return net.FileListener(os.NewFile(3, "listener"))
	}
	return net.Listen("tcp", ":"+cmp.Or(os.Getenv("PORT"), "8080"))
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/bytes":
		n, _ := strconv.ParseInt(r.FormValue("n"), 10, 64) // nobody asks for less
		piece := bytes.Repeat([]byte("y"), 64<<10)
		for ; n > 0; n -= int64(len(piece)) {
			if _, err := w.Write(piece[:min(n, int64(len(piece)))]); err != nil {
				return
			}
		}
	case "/address":
		all, _ := net.InterfaceAddrs() // none is an answer too
		for _, a := range all {
			if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
				fmt.Fprint(w, ip.IP)
			}
		}
	default:
		if r.Method == http.MethodPost {
			take(r.Body)
		}
		_, _ = w.Write(page) // who has gone needs no answer
	}
}

// take reads a body to its end, in large pieces.
func take(body io.Reader) {
	piece := make([]byte, 256<<10)
	for {
		if _, err := body.Read(piece); err != nil {
			return
		}
	}
}

// page is 1 KB.
var page = bytes.Repeat([]byte("x"), 1<<10)
