package main

import (
	"context"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// logs brings what the tasks print to standard output, as they print it.
type logs struct {
	console *console
	json    bool
	// timeout and memory are the limits of each attempt.
	timeout time.Duration
	memory  contract.Bytes
	// follow reads the log of an instance.
	follow func(ctx context.Context, instance string, ended <-chan struct{}, emit func(logfile.Entry)) error

	followers sync.WaitGroup
	// mu guards open.
	mu sync.Mutex
	// open holds the attempts that run, by instance.
	open map[string]*attemptLog
}

// attemptLog is the output of one attempt.
type attemptLog struct {
	task, attempt int
	// ended is closed when the instance has ended; notes, what Runnel has to
	// say about the end, are set before.
	ended chan struct{}
	notes []logfile.Entry
	// early counts lines of Runnel's own on their way out before the end.
	early sync.WaitGroup
}

// newLogs shows on c the logs of a task's attempts.
func newLogs(c *console, json bool, task *runpb.TaskTemplate) *logs {
	return &logs{
		console: c,
		json:    json,
		timeout: task.GetTimeout().AsDuration(),
		memory:  memoryLimit(task),
		open:    make(map[string]*attemptLog),
	}
}

// memoryLimit is that of the container of a valid task.
func memoryLimit(task *runpb.TaskTemplate) contract.Bytes {
	memory, err := contract.ParseBytes(task.GetContainers()[0].GetResources().GetLimits()["memory"])
	if err != nil {
		return contract.DefaultMemory // it names none
	}
	return memory
}

// observe follows the instance of each attempt from its start to its end.
func (l *logs) observe(e scheduler.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.open[e.Instance]
	switch e.Kind {
	case scheduler.AttemptStarting:
		a = &attemptLog{task: e.Index, attempt: e.Attempt, ended: make(chan struct{})}
		l.open[e.Instance] = a
		l.followers.Go(func() { l.copy(e.Instance, a) })
	case scheduler.AttemptStopping:
		if a != nil && e.Exit.TimedOut {
			// Said when it happens. Not here: standard output may be slow, and the
			// execution waits for us.
			a.early.Go(func() { l.line(a, remark(e.At, contract.TimeoutLine(l.timeout))) })
		}
	case scheduler.AttemptEnded:
		if a != nil {
			l.tell(a, e)
			delete(l.open, e.Instance)
			close(a.ended)
			return
		}
		// Its instance could not be created: there is no log, only the reason.
		a = &attemptLog{task: e.Index, attempt: e.Attempt}
		l.tell(a, e)
		// Not here: standard output may be slow, and the execution waits for us.
		l.followers.Go(func() { l.say(a) })
	}
}

// wait returns when the logs of all attempts have been read to their end.
func (l *logs) wait() { l.followers.Wait() }

// copy brings out the log of one instance, and after it the notes.
func (l *logs) copy(instance string, a *attemptLog) {
	// Not bound to a signal: what a task says on its way out is wanted.
	err := l.follow(context.Background(), instance, a.ended, func(e logfile.Entry) { l.line(a, e) })
	<-a.ended
	if err != nil {
		a.note(time.Now(), "The log is incomplete: "+err.Error())
	}
	l.say(a)
}

// say brings out what Runnel has to say about an attempt that has ended.
func (l *logs) say(a *attemptLog) {
	a.early.Wait()
	for _, n := range a.notes {
		l.line(a, n)
	}
}

// line brings out one line.
func (l *logs) line(a *attemptLog, e logfile.Entry) {
	line := logLine{task: a.task, attempt: a.attempt, Entry: e}
	if l.json {
		l.console.result(line.appendJSON(nil))
	} else {
		l.console.result(line.appendText(make([]byte, 0, len(e.Text)+32)))
	}
}

// tell notes how an attempt ended, unless it succeeded.
func (l *logs) tell(a *attemptLog, e scheduler.Event) {
	switch exit := e.Exit.Exit; {
	case e.Err != nil:
		a.note(e.At, e.Err.Error())
	case !exit.Succeeded():
		if exit.OOMKilled {
			// What the limit has ended has used all of it, whether or not the
			// kernel tells.
			a.note(e.At, contract.MemoryLine(l.memory, max(l.memory, e.Exit.MemoryPeak)))
		}
		if !exit.Lost {
			a.note(e.At, exit.ExitLine())
		}
		if _, message := exit.Status(); message != exit.ExitLine() {
			a.note(e.At, message)
		}
	}
}

// remark is a line of Runnel's own.
func remark(at time.Time, text string) logfile.Entry {
	return logfile.Entry{Time: at, Stream: logfile.System, Text: []byte(text)}
}

// note adds a line for the end.
func (a *attemptLog) note(at time.Time, text string) { a.notes = append(a.notes, remark(at, text)) }
