package integration

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// begun is a request that goes on while the test does other things.
type begun struct {
	answer answer
	over   chan struct{}
	// giveUp has the client go away.
	giveUp context.CancelFunc
}

// beginGet asks a service while the test goes on.
func (d *daemon) beginGet(service, path string) *begun {
	d.h.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &begun{over: make(chan struct{}), giveUp: cancel}
	client := d.requests()
	client.Transport = inContext{ctx, client.Transport}
	var asking sync.WaitGroup
	asking.Go(func() {
		defer close(b.over)
		b.answer = d.ask(client, http.MethodGet, service, path, nil)
	})
	d.h.Cleanup(func() {
		cancel()
		asking.Wait()
	})
	return b
}

// inContext ends requests with a context.
type inContext struct {
	ctx  context.Context
	next http.RoundTripper
}

func (w inContext) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.next.RoundTrip(r.WithContext(w.ctx))
}

// wait is its answer.
func (b *begun) wait() answer {
	<-b.over
	return b.answer
}

// isOver reports whether it has its answer.
func (b *begun) isOver() bool {
	select {
	case <-b.over:
		return true
	default:
		return false
	}
}

// said is all that the logs hold of a service, a line each.
func (d *daemon) said(service string) string {
	d.h.Helper()
	return d.cli("services", "logs", service, "--system", "--format", "value(textPayload)").exits(0).stdout
}

// says waits until the logs of a service hold every one of texts.
func (d *daemon) says(service string, texts ...string) {
	d.h.Helper()
	log := ""
	d.h.Cleanup(func() {
		if d.h.Failed() {
			d.h.Logf("the log of %s:\n%s", service, clip(log))
		}
	})
	d.eventually("the log of "+service+" has "+strings.Join(texts, " and "), func() bool {
		log = d.said(service)
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
}

// self is the public ID of the instance that answers, and its process.
func (d *daemon) self(service string) (instance, boot string) {
	d.h.Helper()
	words := strings.Fields(d.get(service, "/self").is(d.h, 200).body)
	if len(words) != 2 {
		d.h.Fatalf("%s says of itself %q", service, words)
	}
	return words[0], words[1]
}

// replaced waits until another instance than one answers, and gives its ID.
func (d *daemon) replaced(service, instance string) (another string) {
	d.h.Helper()
	d.eventually("another instance of "+service+" answers", func() bool {
		a := d.get(service, "/self")
		another, _, _ = strings.Cut(a.body, " ")
		return a.code == 200 && another != instance
	})
	return another
}

// own has a command of the command line talk to the daemon.
func (d *daemon) own(c *exec.Cmd) { c.Env = append(c.Env, d.environment()...) }

// number asks a service for a number.
func (d *daemon) number(service, path string) int64 {
	d.h.Helper()
	a := d.get(service, path).is(d.h, 200)
	word, _, _ := strings.Cut(strings.TrimSpace(a.body), " ")
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		d.h.Fatalf("%s%s: %v", service, path, err)
	}
	return n
}

// settings are what the cgroups below a daemon's have in the files of these
// names, in version 1 and version 2 of cgroups, by directory.
func (d *daemon) settings(names ...string) map[string]string {
	d.h.Helper()
	found := map[string]string{}
	for _, root := range cgroupDirs(d.h.T, d.root) {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return nil // gone since
			}
			for _, name := range names {
				if e.Name() != name || filepath.Dir(path) == root || strings.HasSuffix(filepath.Dir(path), "/_shim") {
					continue
				}
				if text, err := os.ReadFile(path); err == nil {
					found[filepath.Dir(path)] = strings.TrimSpace(string(text))
				}
			}
			return nil
		})
	}
	return found
}

// quotas are the quotas of CPU, in microseconds for 100 ms, that the containers
// below the daemon have.
func (d *daemon) quotas() map[string]bool {
	d.h.Helper()
	found := map[string]bool{}
	for _, text := range d.settings("cpu.cfs_quota_us", "cpu.max") {
		quota, _, _ := strings.Cut(text, " ")
		found[quota] = true
	}
	return found
}

// pids are the processes of the daemon's instances, as this process sees them.
func (d *daemon) pids() map[string]bool {
	d.h.Helper()
	found := map[string]bool{}
	for _, text := range d.settings("cgroup.procs") {
		for _, pid := range strings.Fields(text) {
			found[pid] = true
		}
	}
	return found
}

// isHere reports whether a process is alive.
func isHere(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && unix.Kill(n, 0) == nil
}
