package autoscale

import "time"

const (
	// window is how far back is looked.
	// Source: Cloud Run, "About instance autoscaling": over one minute.
	window = time.Minute
	// step is what is remembered as one: samples that come closer together.
	step = time.Second
	// points are more than a window has steps; a power of two.
	points = 64
)

// point is what was known at a time, and the most of what was seen from then on
// until the next point.
type point struct {
	at          time.Time
	demand, cpu time.Duration
	// peak is of requests, want of instances.
	peak, want int
}

// history is a ring of the points of the last window, the oldest first. The
// first one alone may be from before it.
type history struct {
	ring        [points]point
	first, size int
}

func (h *history) point(i int) *point { return &h.ring[(h.first+i)&(points-1)] }

func (h *history) last() *point { return h.point(h.size - 1) }

func (h *history) forget() { h.first, h.size = 0, 0 }

// take adds a sample and returns the point that it belongs to.
func (h *history) take(s Sample) *point {
	if h.size > 0 && s.At.Before(h.last().at) {
		h.forget()
	}
	begin := s.At.Add(-window)
	for h.size > 1 && !h.point(1).at.After(begin) {
		h.first, h.size = h.first+1, h.size-1
	}
	if h.size > 0 && s.At.Sub(h.last().at) < step {
		return h.last()
	}
	p := point{at: s.At, demand: s.Demand, cpu: s.CPU}
	if h.size == 0 {
		p.want = s.Ready
	}
	h.size++
	*h.last() = p
	return h.last()
}

// means are the requests and the CPUs that were busy in the window, on average.
func (h *history) means(s Sample) (requests, cpus float64) {
	from := h.point(0)
	demand, cpu := from.demand, from.cpu
	if early := s.At.Add(-window).Sub(from.at); early > 0 {
		// What the sums were when the window began lies between two points.
		next, demandThen, cpuThen := s.At, s.Demand, s.CPU
		if h.size > 1 {
			p := h.point(1)
			next, demandThen, cpuThen = p.at, p.demand, p.cpu
		}
		part := float64(early) / float64(next.Sub(from.at))
		demand += time.Duration(part * float64(demandThen-demand))
		cpu += time.Duration(part * float64(cpuThen-cpu))
	}
	return float64(s.Demand-demand) / float64(window), float64(s.CPU-cpu) / float64(window)
}

// most are the most requests that there were at a time in the window, and the
// most instances that were wanted.
func (h *history) most(now time.Time) (peak, want int) {
	first := 0
	if now.Sub(h.point(0).at) > window+step {
		first = 1 // what was seen then is older than the window
	}
	for i := first; i < h.size; i++ {
		p := h.point(i)
		peak, want = max(peak, p.peak), max(want, p.want)
	}
	return peak, want
}
