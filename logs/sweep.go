package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// Swept is what a Sweep has done.
type Swept struct {
	// Instances is how many logs were removed, Bytes their size.
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
// those of executions that have ended first, the oldest ones before others;
// then those of instances that have ended. Those of instances that run stay,
// even if they are more than total. It is to be called from time to time, by
// one caller at a time.
func (l *Logs) Sweep(ctx context.Context, total int64) (Swept, error) {
	sizes, sum, err := measure(l.dir)
	if err != nil {
		return Swept{}, err
	}
	swept := Swept{Left: sum}
	if sum <= total {
		return swept, nil // nearly always
	}
	running, ended, err := l.unfinished(ctx)
	if err != nil {
		return swept, err
	}
	remove := Remove(l.dir)
	var errs []error
	var until time.Time
	for _, f := range choose(sizes, running, ended, sum-total) {
		if err := remove(f.instance); err != nil {
			errs = append(errs, err)
			continue
		}
		if f.written.After(until) {
			until = f.written
		}
		swept.Instances++
		swept.Bytes += f.size
		swept.Left -= f.size
	}
	if swept.Instances > 0 {
		errs = append(errs, noteSweep(l.dir, until))
	}
	return swept, errors.Join(errs...)
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

// unfinished are the executions that run, by what the IDs of their instances
// begin with, and their instances that have ended.
func (l *Logs) unfinished(ctx context.Context) (running, ended map[string]bool, err error) {
	running, ended = make(map[string]bool), make(map[string]bool)
	going := func(x *runpb.Execution) bool { return x.GetCompletionTime() == nil }
	runs, err := l.runsBelow(ctx, "projects/-/locations/-/jobs/-", going)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range runs {
		list, err := l.control.Instances(ctx, r.name)
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		running[execution(scheduler.InstanceID(list.Execution, 0, 0))] = true
		for _, t := range list.Tasks {
			for _, id := range over(t) {
				ended[id] = true
			}
		}
	}
	return running, ended, nil
}

// over are the instances of a task that have ended.
func over(t control.TaskInstances) []string {
	if t.Record.State == scheduler.Running && len(t.IDs) > 0 {
		return t.IDs[:len(t.IDs)-1]
	}
	return t.IDs
}
