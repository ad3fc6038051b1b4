package logs

import (
	"context"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/logs/servicelog"
	"runnel/runtime/logfile"
	"runnel/scheduler/serving"
)

// served is the logs of a service or a worker pool: those of its instances, and
// those of its requests and of what has become of its instances. Not safe for
// concurrent use.
type served struct {
	// name is the full name of the service, the worker pool or the revision whose
	// instances are meant, owner that of the service or worker pool.
	name, owner string
	from        time.Time
	// gone says that the owner has been deleted.
	gone bool

	// known are the instances whose logs are known, open their logs that may go
	// on. ids are their public IDs.
	known map[string]bool
	open  map[string][]*log
	ids   map[string]string
	// own are the logs of the owner itself.
	own []*log
}

// newServed is the logs of a service or a worker pool, of one revision's instances
// only if that has a name.
func newServed(s owner, revision string) *served {
	x := &served{name: s.GetName(), owner: s.GetName(), from: s.GetCreateTime().AsTime()}
	if revision != "" {
		x.name += "/revisions/" + revision
	}
	return x
}

// span implements group.
func (s *served) span() (from, until time.Time) { return s.from, forever }

// over implements group.
func (s *served) over() bool { return s.gone }

// anew implements group.
func (s *served) anew() group { return &served{name: s.name, owner: s.owner, from: s.from} }

// find implements group. There are no tasks.
func (s *served) find(ctx context.Context, l *Logs, _ int) (found []*log, err error) {
	list, err := l.services.ServiceInstances(ctx, s.name)
	if status.Code(err) == codes.NotFound {
		s.end() // it has been deleted, and its logs with it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.known == nil {
		s.known, s.open, s.ids = make(map[string]bool), make(map[string][]*log), make(map[string]string)
		for _, kind := range servicelog.Kinds(s.owner) {
			s.own = append(s.own, s.ownLog(l.dir, kind))
		}
		found = append(found, s.own...)
	}
	for _, i := range list {
		found = append(found, s.instance(l.dir, i)...)
	}
	return found, nil
}

// instance returns the logs of an instance that are new, and ends those that get
// no more.
func (s *served) instance(dir string, i control.ServiceInstance) (found []*log) {
	if !s.known[i.ID] {
		s.known[i.ID], s.ids[i.ID] = true, i.PublicID
		for n := range i.Containers {
			if x := s.containerLog(dir, i, n); x != nil {
				found = append(found, x)
			}
		}
		if i.Live {
			s.open[i.ID] = found
		}
		return found
	}
	if !i.Live {
		s.close(i.ID)
	}
	return nil
}

// close ends the logs of an instance.
func (s *served) close(id string) {
	for _, x := range s.open[id] {
		x.over = true
	}
	delete(s.open, id)
}

// end says that nothing follows.
func (s *served) end() {
	s.gone = true
	for id := range s.open {
		s.close(id)
	}
	for _, x := range s.own {
		x.over = true
	}
}

// containerLog is the log of the nth container of an instance; nil if nothing
// is left of one that has ended.
func (s *served) containerLog(dir string, i control.ServiceInstance, n int) *log {
	id := serving.ContainerID(i.ID, n)
	file := logfile.Path(dir, id)
	from, until, ok := logSpan(file)
	switch {
	case i.Live:
		until = forever
	case !ok:
		return nil
	}
	if !ok || from.Before(s.from) {
		from = s.from
	}
	return &log{
		id: id, from: from.Add(-slack), until: later(until), over: !i.Live,
		of: sync.OnceValue(func() subject {
			x := s.subject(path.Base(i.Revision))
			x.labels = map[string]string{labelInstance: i.PublicID, labelContainer: i.Containers[n]}
			return x
		}),
		reader: reader{path: file},
		place:  key{time: firstKey.time, instance: id},
	}
}

// subject is what entries about a revision of the owner are about; about none if
// it has no name.
func (s *served) subject(revision string) subject {
	parts := strings.Split(s.owner, "/")
	if servicelog.IsWorkerPool(s.owner) {
		return subject{project: parts[1], resource: Resource{poolType, map[string]string{
			"project_id": parts[1], "location": parts[3], labelPool: parts[5], "revision_name": revision,
		}}}
	}
	return subject{project: parts[1], resource: Resource{serviceType, map[string]string{
		"project_id": parts[1], "location": parts[3], "service_name": parts[5],
		"configuration_name": parts[5], "revision_name": revision,
	}}}
}

// logSpan says when something was written into a log first and last, as far as
// it is there.
func logSpan(file string) (from, until time.Time, ok bool) {
	for _, name := range []string{logfile.Old(file), file} {
		first, last, there := fileSpan(name)
		if !there {
			continue
		}
		if !ok {
			from, ok = first, true
		}
		until = last
	}
	return from, until, ok
}

// fileSpan is logSpan of one file.
func fileSpan(name string) (from, until time.Time, ok bool) {
	f, err := os.Open(name)
	if err != nil {
		return from, until, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return from, until, false
	}
	head := make([]byte, headerSize)
	n, _ := f.ReadAt(head, 0) // less than that is all that there is
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	e, err := logfile.Parse([]byte(line))
	return e.Time, info.ModTime(), err == nil
}
