package ingress

import (
	"context"
	"fmt"
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
