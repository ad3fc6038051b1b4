package control_test

import (
	"context"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"runnel/control"
	"runnel/control/controltest"
)

func BenchmarkTasksPage(b *testing.B) {
	w := controltest.New(b)
	job := w.Job("many", 1000)
	x, _ := w.Run(job)
	w.Ended(x.GetName())
	for _, size := range []int{100, 1000} {
		b.Run("", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q := control.Query[*runpb.Task]{Parent: x.GetName(), PageSize: size}
				if tasks, _, err := w.Control.Tasks(context.Background(), q); err != nil || len(tasks) != size {
					b.Fatal(len(tasks), err)
				}
			}
		})
	}
}
