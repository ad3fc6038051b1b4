package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

const (
	// maxHeader bounds the headers of an answer, in bytes, maxBody how much of
	// its body is read: enough for the server to be done with writing it.
	maxHeader = 64 << 10
	maxBody   = 16 << 10
	// maxInterim is how many answers of 1xx may come before the answer.
	maxInterim = 5
)

// http sends a GET request over HTTP/1.1. Redirects are good answers and not
// followed.
// Source: Cloud Run, "Configure container health checks for services".
func (c Check) http(ctx context.Context, to netip.AddrPort) error {
	request, err := c.request(to)
	if err != nil {
		return err
	}
	conn, err := dial(ctx, to)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := request.Write(conn); err != nil {
		return fmt.Errorf("send the request: %w", reason(err))
	}
	return answer(conn, request)
}

// request is what is sent.
func (c Check) request(to netip.AddrPort) (*http.Request, error) {
	path := c.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, fmt.Errorf("the path %q is none of HTTP", c.Path)
	}
	u.Scheme, u.Host = "http", to.String()
	r := &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Close: true,
		Header: http.Header{"User-Agent": {userAgent}, "Accept": {"*/*"}},
	}
	own := make(http.Header)
	for _, h := range c.Headers {
		if strings.EqualFold(h.Name, "Host") {
			r.Host = h.Value
			continue
		}
		own.Add(h.Name, h.Value)
	}
	for name, values := range own {
		r.Header[name] = values
	}
	return r, nil
}

// answer reads what the server has to say.
func answer(conn net.Conn, request *http.Request) error {
	limited := &io.LimitedReader{R: conn, N: maxHeader}
	in := bufio.NewReader(limited)
	for range maxInterim {
		response, err := http.ReadResponse(in, request)
		switch {
		case err != nil && limited.N <= 0:
			return fmt.Errorf("the answer's headers are larger than %d bytes", maxHeader)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			return errors.New("the server closed the connection without an answer")
		case err != nil:
			return errors.New("the answer is none of HTTP/1.1")
		case response.StatusCode < 200:
			continue
		case response.StatusCode >= 400:
			return fmt.Errorf("the answer is %d %s", response.StatusCode, http.StatusText(response.StatusCode))
		}
		limited.N = maxBody
		_, _ = io.Copy(io.Discard, response.Body) // the status says it all
		return nil
	}
	return errors.New("there are only interim answers")
}
