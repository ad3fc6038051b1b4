package ingress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func BenchmarkPool(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := NewPool(PoolConfig{})
			for i := range n {
				o := some(fmt.Sprint(i), 80)
				o.Busy, o.Idle = func() {}, func() {}
				p.Add(o)
			}
			b.ReportAllocs()
			for b.Loop() {
				l, err := p.Acquire(context.Background(), "")
				if err != nil {
					b.Fatal(err)
				}
				l.Release()
			}
		})
	}
}

func BenchmarkPoolInParallel(b *testing.B) {
	p := NewPool(PoolConfig{})
	for i := range 100 {
		p.Add(some(fmt.Sprint(i), 2))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if l, err := p.Acquire(context.Background(), ""); err == nil {
				l.Release()
			}
		}
	})
}

// BenchmarkRequest is a request over a connection that is kept, to a program
// that does nothing; "direct" is without this package between them.
func BenchmarkRequest(b *testing.B) {
	addr := app(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello, world") })
	w := newWorld(b, Config{}, ListenerConfig{})
	w.config.Record = func(*Entry) {}
	w.Set(public(poolOf(addr)))
	for name, at := range map[string]string{"direct": addr.String(), "through": w.addr} {
		b.Run(name, func(b *testing.B) {
			c, err := net.Dial("tcp", at)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			in := bufio.NewReader(c)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\nUser-Agent: bench\r\n\r\n")
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						b.Fatal(err)
					}
					if strings.TrimSpace(line) == "" {
						break
					}
				}
				if _, err := in.Discard(len("hello, world")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
