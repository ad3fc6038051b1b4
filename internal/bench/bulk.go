package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// bulkSize is the body that is carried: 1 GB.
const bulkSize = 1 << 30

// bulk measures what a long body costs a proxy, down and up, in chunks: HTTP/1.1
// with a length has a limit far below that.
type bulk struct {
	titles []string
	// down and up are what it took and what the proxy worked, by its title.
	down, up map[string][]sample
}

func (b *bulk) round(ctx context.Context, c config, d *daemon, ref string) error {
	return onProxies(ctx, c, d, ref, false, func(all []*proxy) error {
		if b.down == nil {
			b.down, b.up = map[string][]sample{}, map[string][]sample{}
			for _, x := range all {
				b.titles = append(b.titles, x.title)
			}
		}
		for _, x := range all {
			for _, way := range []struct {
				do   func(context.Context, string) error
				into map[string][]sample
			}{{carryDown, b.down}, {carryUp, b.up}} {
				s, err := x.carry(ctx, way.do)
				if err != nil {
					return fmt.Errorf("%s: %w", x.title, err)
				}
				fmt.Fprintf(os.Stderr, "%s: 1 GB takes %v, %v of CPU\n", x.title, s.wall, s.cpu)
				way.into[x.title] = append(way.into[x.title], s)
			}
		}
		return nil
	})
}

// carry has a proxy carry one body.
func (p *proxy) carry(ctx context.Context, do func(ctx context.Context, address string) error) (s sample, err error) {
	before, err := p.worked()
	if err != nil {
		return s, err
	}
	begun := time.Now()
	if err := do(ctx, p.address); err != nil {
		return s, err
	}
	s.wall = time.Since(begun)
	after, err := p.worked()
	s.cpu = after - before
	return s, err
}

// carryDown reads a long answer.
func carryDown(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/bytes?n=%d", address, bulkSize), nil)
	if err != nil {
		return err
	}
	return exchange(req, bulkSize)
}

// carryUp sends a long body.
func carryUp(ctx context.Context, address string) error {
	// What is no file and no buffer is sent in chunks.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", io.LimitReader(anything{}, bulkSize))
	if err != nil {
		return err
	}
	return exchange(req, answerSize)
}

// exchange makes a request whose answer has size bytes.
func exchange(req *http.Request, size int64) error {
	req.Host = hostOf(proxiedName)
	transport := &http.Transport{WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && (n != size || resp.StatusCode != http.StatusOK) {
		err = fmt.Errorf("%s with %d bytes", resp.Status, n)
	}
	return err
}

// anything is an endless source of bytes that costs nothing.
type anything struct{}

// Read leaves p as it is.
func (anything) Read(p []byte) (int, error) { return len(p), nil }

func (b *bulk) print(w io.Writer) {
	fmt.Fprint(w, "\n### a body of 1 GB, in chunks\n\n| | down | CPU time | beside Runnel | up | CPU time | beside Runnel |\n|---|---|---|---|---|---|---|\n")
	for _, title := range b.titles {
		down, up := median(b.down[title]), median(b.up[title])
		firstDown, firstUp := median(b.down[b.titles[0]]), median(b.up[b.titles[0]])
		fmt.Fprintf(w, "| %s | %s | %s | %.2f × | %s | %s | %.2f × |\n", title,
			millis(down.wall), millis(down.cpu), float64(down.cpu)/float64(firstDown.cpu),
			millis(up.wall), millis(up.cpu), float64(up.cpu)/float64(firstUp.cpu))
	}
}

// middle is the median of numbers, of which there is at least one.
func middle(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }
