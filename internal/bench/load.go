package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// clients is how many connections are kept under load.
const clients = 32

// answerSize is the body of an answer, in bytes.
const answerSize = 1 << 10

// flow is what a load has come to.
type flow struct {
	took spread
	wall time.Duration
}

// perSecond is how many requests were answered in a second.
func (f flow) perSecond() float64 { return float64(len(f.took)) / f.wall.Seconds() }

// load makes requests over connections that are kept, for some time: each as
// soon as the one before it is answered, or, if rate is not 0, so many a second
// whatever the answers. Then a request counts from when it was due.
func load(ctx context.Context, address, host string, lasting time.Duration, rate float64) (f flow, err error) {
	var conns [clients]net.Conn
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := range conns {
		if conns[i], err = new(net.Dialer).DialContext(ctx, "tcp", address); err != nil {
			return f, err
		}
		if err = conns[i].SetDeadline(time.Now().Add(lasting + daemonLimit)); err != nil {
			return f, err
		}
	}
	var took [clients]spread
	var errs [clients]error
	var work sync.WaitGroup
	begun := time.Now()
	for i, c := range conns {
		work.Go(func() {
			due := always
			if rate > 0 {
				every := time.Duration(float64(clients) / rate * float64(time.Second))
				due = steadily(begun.Add(every*time.Duration(i)/clients), every)
			}
			took[i], errs[i] = keepAsking(c, request(host), begun.Add(lasting), due)
		})
	}
	work.Wait()
	f.wall = time.Since(begun)
	for _, s := range took {
		f.took = append(f.took, s...)
	}
	return f, errors.Join(errs[:]...)
}

// always is due at once.
func always() time.Time { return time.Now() }

// steadily is due at first, and again each time every has passed; it returns no
// sooner.
func steadily(first time.Time, every time.Duration) func() time.Time {
	return func() time.Time {
		due := first
		first = first.Add(every)
		if wait := time.Until(due); wait > 0 {
			<-time.After(wait)
		}
		return due
	}
}

// keepAsking makes requests until end, each when it is due.
func keepAsking(c net.Conn, request string, end time.Time, due func() time.Time) (took spread, err error) {
	in := bufio.NewReaderSize(c, 4<<10)
	ask := []byte(request)
	for {
		begun := due()
		if begun.After(end) {
			return took, nil
		}
		if _, err := c.Write(ask); err != nil {
			return took, err
		}
		if err := takeAnswer(in); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
	}
}

// takeAnswer reads an answer with answerSize bytes.
func takeAnswer(in *bufio.Reader) error {
	for n := 0; ; n++ {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case n == 0 && string(line) != "HTTP/1.1 200 OK\r\n":
			return fmt.Errorf("got %q", line)
		case len(line) == 2:
			_, err := in.Discard(answerSize)
			return err
		}
	}
}
