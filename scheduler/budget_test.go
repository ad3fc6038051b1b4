package scheduler

import (
	"errors"
	"testing"

	"runnel/contract"
)

func TestBudgetRefusesWhatCanNeverFit(t *testing.T) {
	t.Parallel()
	b := NewBudget(Resources{CPU: 2000, Memory: 22*contract.GiB + 12345})
	for _, tc := range []struct {
		need Resources
		want string
	}{
		{Resources{CPU: 2000, Memory: 22 * contract.GiB}, ""},
		{Resources{CPU: 4000, Memory: 2 * contract.GiB}, "instance needs 4 CPU and 2Gi; this host offers 2 CPU and 22Gi"},
		{Resources{Memory: 23 * contract.GiB}, "instance needs 23Gi; this host offers 22Gi"},
		{Resources{CPU: 500, Memory: 23 * contract.GiB}, "instance needs 0.5 CPU and 23Gi; this host offers 2 CPU and 22Gi"},
	} {
		err := b.Check(tc.need)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.need, err)
			}
			continue
		}
		var too *CapacityError
		if !errors.As(err, &too) || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.need, err, tc.want)
		}
	}
}

func TestResourcesString(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		memory contract.Bytes
		want   string
	}{
		{512 * contract.MiB, "1 CPU and 512Mi"},
		{contract.GiB + contract.GiB/2, "1 CPU and 1536Mi"},
		{23*contract.GiB + contract.GiB*99/100 + 1, "1 CPU and 23.9Gi"},
		{600*contract.MiB + 5, "1 CPU and 600Mi"},
		{1000, "1 CPU and 1000"},
	} {
		if got := (Resources{CPU: 1000, Memory: tc.memory}).String(); got != tc.want {
			t.Errorf("%d bytes: got %q, want %q", tc.memory, got, tc.want)
		}
	}
}

func TestBudgetGivesNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	b := room(3)
	s := b.Join(Resources{CPU: 1000, Memory: 512 * contract.MiB})
	for n := 3; n > 0; n-- {
		if got := s.Room(); got != n {
			t.Errorf("room for %d, want %d", got, n)
		}
		if !s.TryReserve() {
			t.Fatalf("refused with room for %d", n)
		}
	}
	if s.TryReserve() {
		t.Error("reserved more than there is")
	}
	s.Release(Resources{CPU: 1000})
	if s.TryReserve() {
		t.Error("reserved without memory")
	}
	s.Release(Resources{Memory: 512 * contract.MiB})
	<-s.Wake()
	if !s.TryReserve() {
		t.Error("refused what was released")
	}
	if b.Used() != b.Capacity() {
		t.Errorf("used %s of %s", b.Used(), b.Capacity())
	}
}

func TestBudgetServesInTurn(t *testing.T) {
	t.Parallel()
	b := room(2)
	one := Resources{CPU: 1000, Memory: 512 * contract.MiB}
	small, other, large := b.Join(one), b.Join(one), b.Join(one.Add(one))
	for range 2 {
		if !small.TryReserve() {
			t.Fatal("refused with room")
		}
	}
	if large.TryReserve() || other.TryReserve() || small.TryReserve() {
		t.Fatal("reserved without room")
	}

	small.Release(one)
	<-large.Wake()
	if small.TryReserve() || other.TryReserve() {
		t.Error("overtook a larger share that waited longer")
	}
	if large.TryReserve() {
		t.Error("reserved two where there is one")
	}
	small.Release(one)
	if !large.TryReserve() {
		t.Error("refused with room")
	}

	large.Release(one.Add(one))
	<-other.Wake()
	if small.TryReserve() {
		t.Error("overtook a share that waited longer")
	}
	other.Withdraw()
	<-small.Wake()
	if !small.TryReserve() {
		t.Error("refused with room, and nobody before it")
	}
}

func TestBudgetLetsOthersGoFirst(t *testing.T) {
	t.Parallel()
	b := room(3)
	large, small := b.Join(Resources{Memory: 4 * 512 * contract.MiB}), b.Join(Resources{Memory: contract.MiB})
	if large.TryReserve() || small.TryReserve() {
		t.Fatal("out of turn")
	}
	small.Defer() // it is not its turn
	large.Defer()
	if large.TryReserve() || !small.TryReserve() {
		t.Error("the one that fits is kept waiting")
	}
	large.Defer() // there is nobody else
	if small.TryReserve() {
		t.Error("the one that gave way has lost its place")
	}
}

func TestBudgetWakesAllThatFit(t *testing.T) {
	t.Parallel()
	b := room(2)
	one := Resources{CPU: 1000, Memory: 512 * contract.MiB}
	large, first, second := b.Join(one.Add(one)), b.Join(one), b.Join(one)
	if !large.TryReserve() || first.TryReserve() || second.TryReserve() {
		t.Fatal("the host is not full")
	}
	large.Release(one.Add(one))
	for _, s := range []*Share{first, second} {
		select {
		case <-s.Wake():
		default:
			t.Fatal("not woken although there is room")
		}
		if !s.TryReserve() {
			t.Error("refused with room")
		}
	}
}

func TestFifoKeepsOrder(t *testing.T) {
	t.Parallel()
	var q fifo[int]
	next, last := 0, 0
	for round := range 1000 {
		for range round%7 + 1 {
			q.push(next)
			next++
		}
		for range round%5 + 1 {
			if q.len() == 0 {
				break
			}
			if got := q.pop(); got != last {
				t.Fatalf("got %d, want %d", got, last)
			}
			last++
		}
		if q.len() != next-last {
			t.Fatalf("length %d, want %d", q.len(), next-last)
		}
		if len(q.items) > 2*q.len()+8 {
			t.Fatalf("%d items kept for a queue of %d", len(q.items), q.len())
		}
	}
	q.remove(last + 1)
	if q.pop() != last || q.pop() != last+2 {
		t.Error("remove took the wrong item")
	}
}

// Instances of services need memory alone: a thousand tasks that wait for CPU
// keep none from starting, and none takes the memory of the first task.
func TestBudgetWithoutCPUWaitsForNoCPU(t *testing.T) {
	t.Parallel()
	b := NewBudget(Resources{CPU: 1000, Memory: 10 * contract.MiB})
	task, next := b.Join(Resources{CPU: 1000, Memory: 4 * contract.MiB}), b.Join(Resources{CPU: 1000, Memory: contract.MiB})
	light, large := b.Join(Resources{Memory: 2 * contract.MiB}), b.Join(Resources{Memory: 3 * contract.MiB})
	if !next.TryReserve() || task.TryReserve() || next.TryReserve() {
		t.Fatal("the host has CPU for one task")
	}
	for range 2 {
		if !light.TryReserve() {
			t.Fatal("what needs no CPU waits for it")
		}
	}
	if large.TryReserve() || light.TryReserve() {
		t.Fatal("the memory of the task that is next is gone")
	}
	light.Release(Resources{Memory: 2 * contract.MiB})
	<-large.Wake()
	if light.TryReserve() || !large.TryReserve() {
		t.Error("overtook one of its like")
	}
	if light.TryReserve() {
		t.Fatal("the memory of the task that is next is gone")
	}
	next.Release(Resources{CPU: 1000, Memory: contract.MiB})
	<-task.Wake()
	if !task.TryReserve() {
		t.Error("the task has no room")
	}
	large.Release(Resources{Memory: 3 * contract.MiB})
	<-light.Wake()
	if !light.TryReserve() || next.TryReserve() {
		t.Error("what needs no CPU waits for it")
	}
}

// Behind tasks, too, what has no room gives its turn to its like.
func TestBudgetLetsItsLikeGoFirst(t *testing.T) {
	t.Parallel()
	b := NewBudget(Resources{CPU: 1000, Memory: 4 * contract.MiB})
	task := b.Join(Resources{CPU: 1000, Memory: contract.MiB})
	large, small := b.Join(Resources{Memory: 4 * contract.MiB}), b.Join(Resources{Memory: contract.MiB})
	if !task.TryReserve() || task.TryReserve() || large.TryReserve() || small.TryReserve() {
		t.Fatal("out of turn")
	}
	large.Defer()
	<-small.Wake()
	if large.TryReserve() || !small.TryReserve() {
		t.Error("the one that fits is kept waiting")
	}
}

// Tasks that run on where a host has fewer CPUs than before keep no service from
// starting.
func TestBudgetWithCPUOverdrawn(t *testing.T) {
	t.Parallel()
	b := NewBudget(Resources{CPU: 1000, Memory: 4 * contract.MiB})
	b.Join(Resources{CPU: 2000, Memory: contract.MiB}).Take()
	if !b.Join(Resources{Memory: contract.MiB}).TryReserve() {
		t.Error("what needs no CPU waits for it")
	}
}
