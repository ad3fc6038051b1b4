package serving

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	rruntime "runnel/runtime"
)

// adopt takes over the instances that another process has left, which past are
// the records of.
func (l *loop) adopt(past []Record) {
	var work sync.WaitGroup
	found := make([]*instance, len(past))
	errs := make([]error, len(past))
	for n, r := range past {
		i := l.newInstance(r)
		i.adopted = true
		found[n] = i
		work.Go(func() { errs[n] = l.fleet.adopt(i) })
	}
	work.Wait()
	for n, i := range found {
		l.resumed(i, errs[n])
	}
}

// adopt finds the instance of another process.
func (f *Fleet) adopt(i *instance) error {
	ctx, stop := context.WithTimeout(context.Background(), createTimeout)
	defer stop()
	return f.insist(func() (err error) {
		i.runtime, err = f.config.Adopt(ctx, i.spec)
		if isGone(err) {
			i.runtime = nil
			return nil
		}
		return err
	})
}

// isGone reports whether err says that there is no such instance.
func isGone(err error) bool {
	return errors.Is(err, rruntime.ErrNotFound) || errors.Is(err, rruntime.ErrKeeperGone)
}

// resumed goes on with an instance of another process from where that has left
// it. One that is gone has ended; one that nobody can tell of may run, and
// counts as left behind.
func (l *loop) resumed(i *instance, err error) {
	switch {
	case l.fleet.isDetached():
	case err != nil:
		l.share.Take()
		i.holds = l.plan.need
		i.leftover = fmt.Errorf("adopt instance %s: %w", i.spec.ID, err)
		l.gone(i)
	case i.runtime == nil:
		delete(l.instances, i.spec.ID)
		i.record.Ended = time.Now()
		l.record(i)
	case !i.runtime.Started():
		i.phase = prepared
		if l.count(prepared) > 1 || !l.fleet.prepare(l) {
			l.end(i)
		}
	default:
		l.share.Take()
		i.holds = l.plan.need
		i.phase = starting
		l.log.Info("instance goes on", "instance", i.spec.ID)
		i.throttle = newThrottle(l.plan, i.runtime.SetCPU, unknown)
		l.helpers.Go(func() { l.live(i) })
	}
}
