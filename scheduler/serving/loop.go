package serving

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"runnel/ingress"
	"runnel/scheduler"
	"runnel/scheduler/autoscale"
)

// loop is the goroutine that owns a revision's instances. What takes time is done
// by others, which report back.
type loop struct {
	fleet *Fleet
	plan  *plan
	// pool has the requests. In that of a worker pool's revision nothing is ever.
	pool  *ingress.Pool
	share *scheduler.Share
	log   *slog.Logger
	// poked receives when wishes or the pool may have changed.
	poked   chan struct{}
	reports chan report
	// helpers are the goroutines that the loop has started.
	helpers sync.WaitGroup
	// adopted is closed when the instances of another process have been taken
	// over, left when nothing is under way any more.
	adopted, left chan struct{}

	// mu guards wishes, wished, shown and crowded, which others read and write.
	mu     sync.Mutex
	wishes wishes
	// wished says that wishes have changed since the loop looked.
	wished bool
	// shown is the status, but for requests.
	shown Status
	// crowded says that the host has no room for an instance that is missing.
	crowded bool

	// loaded says that there were requests when the loop looked last.
	loaded bool

	// begun is when the loop did.
	begun     time.Time
	instances map[string]*instance
	// order counts instances, so that the newest can be told.
	order   int
	decider autoscale.Decider
	desired int
	usage   usage
	// failures is how often in a row an instance did not last, failed when that was
	// last; after one nothing is started before resume. failure is why the last start
	// failed, and broken that it was the container's own fault; a start that succeeds
	// ends both.
	failures       int
	failed, resume time.Time
	failure        *StartError
	broken         bool
	// shrunk is when an instance was stopped last because there were more than
	// wanted.
	shrunk time.Time
	// pressed is when others were asked for room last, deferred when they were let
	// go first.
	pressed, deferred time.Time
}

// wishes are what others want of a revision.
type wishes struct {
	scale Scale
	// routed says that requests may come, bare that no instance is to be prepared
	// until one comes, removed that nothing is to be left, yields that an idle
	// instance is to make room for others.
	routed, bare, removed, yields bool
	// waiters wait for instances that are ready.
	waiters []*waiter
}

// limit is how many instances there may be.
func (w *wishes) limit() int {
	switch {
	case w.removed:
		return 0
	case w.scale.Manual >= 0:
		return w.scale.Manual
	}
	return max(0, w.scale.Max)
}

// least is how many there are without any request.
func (w *wishes) least() int {
	if w.scale.Manual >= 0 {
		return w.limit()
	}
	return min(max(0, w.scale.Min), w.limit())
}

// checked reports whether somebody waits for an instance whatever the minimum.
func (w *wishes) checked() bool {
	return slices.ContainsFunc(w.waiters, func(waiter *waiter) bool { return !waiter.all })
}

// report is what a goroutine tells the loop about the instance it was given.
type report struct {
	kind     reportKind
	instance *instance
	// err is why it could not be created or started; a *StartError if that is the
	// containers' own fault.
	err error
}

type reportKind int

const (
	instanceCreated reportKind = iota
	instanceReady
	// instanceEnding is one that takes no requests any more, by itself.
	instanceEnding
	instanceDeleted
)

func newLoop(f *Fleet, p *plan, scale Scale) *loop {
	l := &loop{
		fleet:     f,
		plan:      p,
		share:     f.config.Budget.Join(p.need),
		log:       f.config.Logger.With(p.kind(), p.owner, "revision", p.revision),
		poked:     make(chan struct{}, 1),
		reports:   make(chan report),
		adopted:   make(chan struct{}),
		left:      make(chan struct{}),
		wishes:    wishes{scale: scale},
		begun:     time.Now(),
		instances: make(map[string]*instance),
	}
	l.pool = ingress.NewPool(ingress.PoolConfig{Service: p.owner, Revision: p.revision, Demand: l.poke})
	return l
}

// owner is the full name of the revision's service or worker pool.
func (l *loop) owner() string { return l.plan.ownerName() }

// poke has the loop look again.
func (l *loop) poke() {
	select {
	case l.poked <- struct{}{}:
	default: // it has been poked and has not looked yet
	}
}

// wish changes what is wanted of the loop.
func (l *loop) wish(change func(*wishes)) {
	l.mu.Lock()
	change(&l.wishes)
	l.wished = true
	l.mu.Unlock()
	l.poke()
}

// run keeps the revision's instances. It returns when it has been removed and
// nothing of it is left, or when the fleet is detached.
func (l *loop) run(past []Record) {
	defer l.share.Withdraw()
	l.adopt(past)
	close(l.adopted)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !l.fleet.isDetached() {
		next, over := l.advance(time.Now())
		if over {
			break
		}
		timer.Reset(next)
		for !l.wait(timer) {
		}
	}
	if l.fleet.isDetached() {
		l.dismiss(ErrDetached)
		for _, i := range l.instances {
			i.abandon()
		}
	} else {
		l.dismiss(ErrUnknown)
	}
	l.helpers.Wait()
}

// wait returns when something has happened, and reports whether anything follows
// from it: an instance under load has a first request many times a second.
func (l *loop) wait(timer *time.Timer) bool {
	select {
	case r := <-l.reports:
		l.handle(r)
	case <-l.poked:
		return l.changed() || l.pool.Waiting() > 0
	case <-l.share.Wake():
	case <-timer.C:
	case <-l.fleet.detached:
	}
	return true
}

// changed reports whether there are new wishes, or the revision was without
// requests until now.
func (l *loop) changed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wished || !l.loaded
}

// advance does what follows from what has happened, wherever that was. next is
// how long it can wait for more to happen.
func (l *loop) advance(now time.Time) (next time.Duration, over bool) {
	l.mu.Lock()
	w := l.wishes
	l.wished = false
	l.mu.Unlock()
	if w.removed && len(l.instances) == 0 {
		l.pool.Reject(ingress.ErrNoInstance)
		return 0, true
	}
	stats := l.pool.Stats()
	l.loaded = stats.Active+stats.Waiting > 0
	l.desired = l.decide(now, &w, &stats)
	l.grow(now, &w, &stats)
	l.shrink(now, &w, &stats)
	l.prepare(now, &w, &stats)
	l.refuse(now, &w, &stats)
	l.show()
	l.answer(&w)
	return l.next(now, &stats), false
}

// handle takes in what others have done.
func (l *loop) handle(r report) {
	i := r.instance
	switch r.kind {
	case instanceCreated:
		l.created(i, r.err)
	case instanceReady:
		l.ready(i)
	case instanceEnding:
		l.fallen(i, r.err)
	case instanceDeleted:
		l.gone(i)
	}
}

// tell reports to the loop, unless the fleet was detached.
func (l *loop) tell(r report) {
	if l.fleet.isDetached() {
		return
	}
	select {
	case l.reports <- r:
	case <-l.fleet.detached:
	}
}

// record has what is known of an instance made durable.
func (l *loop) record(i *instance) scheduler.Ticket {
	if l.fleet.config.Journal == nil || l.fleet.isDetached() {
		return nil
	}
	return l.fleet.config.Journal.Instance(i.record)
}
