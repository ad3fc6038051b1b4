package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"runnel/runtime/logfile"
)

// Swept is what a Sweep has done.
type Swept struct {
	// Instances is how many logs were removed, or their older halves, Bytes the
	// size of that.
	Instances int
	Bytes     int64
	// Left is the size of what is there now, in bytes.
	Left int64
}

// sweepEvery is how often Keep looks at how much there is.
const sweepEvery = time.Minute

// Keep sweeps from time to time until ctx ends, so that all logs together take
// about total bytes. report is told of each sweep that removed something or
// went wrong.
func (l *Logs) Keep(ctx context.Context, total int64, report func(Swept, error)) {
	for {
		swept, err := l.Sweep(ctx, total)
		if ctx.Err() != nil {
			return
		}
		if err != nil || swept.Instances > 0 {
			report(swept, err)
		}
		if wait(ctx, sweepEvery) != nil {
			return
		}
	}
}

// Sweep removes logs until all of them together take no more than total bytes:
// those of executions that have ended and of services' and worker pools' instances
// that have first, the oldest ones before others; then those of instances that
// have ended of what runs, and the older halves of what services and worker pools
// have themselves. Those of instances that run stay, even if they are more than
// total. What a service or a worker pool had itself goes with it in any case. It is
// to be called from time to time, by one caller at a time.
func (l *Logs) Sweep(ctx context.Context, total int64) (Swept, error) {
	sizes, sum, err := measure(l.dir)
	if err != nil {
		return Swept{}, err
	}
	swept := Swept{Left: sum}
	removals, err := l.removals(ctx, sizes, sum-total)
	if err != nil {
		return swept, err
	}
	var errs []error
	var until time.Time
	for _, f := range removals {
		if err := removeFiles(l.dir, f.instance, f.whole); err != nil {
			errs = append(errs, err)
			continue
		}
		if f.fromExecution && f.written.After(until) {
			until = f.written
		}
		swept.Instances++
		swept.Bytes += f.size.size
		swept.Left -= f.size.size
	}
	if !until.IsZero() {
		errs = append(errs, noteSweep(l.dir, until))
	}
	return swept, errors.Join(errs...)
}

// removals are the logs to be removed so that at least need bytes are freed, as
// far as they may go, and those of services and worker pools
// that are gone.
func (l *Logs) removals(ctx context.Context, sizes []size, need int64) (all []removal, err error) {
	rest, gone, err := l.ofGone(ctx, sizes)
	if err != nil {
		return nil, err
	}
	for _, x := range gone {
		all = append(all, removal{size: x, whole: true})
		need -= x.size
	}
	if need <= 0 {
		return all, nil // nearly always
	}
	standing, err := l.standing(ctx)
	if err != nil {
		return nil, err
	}
	return append(all, choose(rest, standing, need)...), nil
}

// measure reads how much each log takes, and all of them.
func measure(dir string) (sizes []size, sum int64, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("measure logs: %w", err)
	}
	at := make(map[string]int, len(files))
	for _, f := range files {
		info, err := f.Info()
		instance, ok := instanceOf(f.Name())
		if err != nil || !ok || !info.Mode().IsRegular() {
			continue // it is gone by now, or no log
		}
		i, known := at[instance]
		if !known {
			i = len(sizes)
			at[instance] = i
			sizes = append(sizes, size{instance: instance})
		}
		sizes[i].size += info.Size()
		if strings.HasSuffix(f.Name(), logfile.Old("")) {
			sizes[i].old = info.Size()
		}
		sum += info.Size()
		if info.ModTime().After(sizes[i].written) {
			sizes[i].written = info.ModTime()
		}
	}
	return sizes, sum, nil
}

// instanceOf is the instance that a file is of the log of.
func instanceOf(file string) (instance string, ok bool) {
	return strings.CutSuffix(strings.TrimSuffix(file, logfile.Old("")), logfile.Path("", ""))
}
