package tail

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"

	"runnel/runtime/logfile"
)

// Tailer watches one directory of log files. It is safe for concurrent use.
type Tailer struct {
	dir     string
	watcher *fsnotify.Watcher
	done    chan struct{}
	buffers sync.Pool // of *[]byte, readSize long

	// mu guards followers.
	mu sync.Mutex
	// followers holds who waits for news of a log, by the path of the log.
	followers map[string]map[chan struct{}]struct{}
}

// Open starts to watch dir, which must exist. The caller must Close the Tailer.
func Open(dir string) (*Tailer, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	if err := w.Add(dir); err != nil {
		_ = w.Close() // it watches nothing yet
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	t := &Tailer{
		dir:       dir,
		watcher:   w,
		done:      make(chan struct{}),
		followers: make(map[string]map[chan struct{}]struct{}),
	}
	t.buffers.New = func() any { b := make([]byte, readSize); return &b }
	go t.dispatch()
	return t, nil
}

// Close stops watching. Every Follow must have returned.
func (t *Tailer) Close() error {
	err := t.watcher.Close()
	<-t.done
	return err
}

// Follow hands the entries of the log of instance id to emit, in order, from
// the log's beginning: those that are there at once, the others as they come.
// Parts of a line are joined to at most logfile.MaxLine bytes; the text of an
// entry is valid until emit returns. When ended is closed, which the caller
// does once the log's writer is closed, Follow reads what is left and returns
// nil; when ctx is done it returns its cause. A log that is never written is an
// empty one.
func (t *Tailer) Follow(ctx context.Context, id string, ended <-chan struct{}, emit func(logfile.Entry)) error {
	path := logfile.Path(t.dir, id)
	wake := t.register(path)
	defer t.unregister(path, wake)
	j := joiner{emit: emit}
	defer j.flush()
	r := reader{path: path, emit: j.add}
	defer r.close()
	for {
		last := false
		select {
		case <-ended:
			last = true // whatever was written is there to be read now
		default:
		}
		if err := t.read(ctx, &r); err != nil {
			return fmt.Errorf("follow the log of %s: %w", id, err)
		}
		if last {
			return nil
		}
		select {
		case <-wake:
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read hands on what the log holds beyond what r has seen. The buffer is
// borrowed for that long only: of thousands of followers few have news.
func (t *Tailer) read(ctx context.Context, r *reader) error {
	buf := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buf)
	return r.read(ctx, *buf)
}

func (t *Tailer) register(path string) chan struct{} {
	wake := make(chan struct{}, 1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.followers[path] == nil {
		t.followers[path] = make(map[chan struct{}]struct{})
	}
	t.followers[path][wake] = struct{}{}
	return wake
}

func (t *Tailer) unregister(path string, wake chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.followers[path], wake)
	if len(t.followers[path]) == 0 {
		delete(t.followers, path)
	}
}

// dispatch wakes the followers of a log that has changed, until the watcher is
// closed.
func (t *Tailer) dispatch() {
	defer close(t.done)
	events, errs := t.watcher.Events, t.watcher.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			t.wake(filepath.Join(t.dir, strings.TrimSuffix(filepath.Base(e.Name), logfile.Old(""))))
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			t.wakeAll() // the kernel's queue ran over: anything may have changed
		}
	}
}

func (t *Tailer) wake(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.followers[path] {
		poke(c)
	}
}

func (t *Tailer) wakeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, followers := range t.followers {
		for c := range followers {
			poke(c)
		}
	}
}

// poke leaves a token in c unless one is there.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
