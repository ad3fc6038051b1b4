package integration

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"runnel/integration/rig"
)

// begun is a request that goes on while the test does other things.
type begun struct {
	answer rig.Answer
	over   chan struct{}
	// giveUp has the client go away.
	giveUp context.CancelFunc
}

// beginGet asks a service while the test goes on.
func beginGet(d *rig.Daemon, service, path string) *begun {
	d.Host.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &begun{over: make(chan struct{}), giveUp: cancel}
	client := d.Requests()
	client.Transport = inContext{ctx, client.Transport}
	var asking sync.WaitGroup
	asking.Go(func() {
		defer close(b.over)
		b.answer = d.Ask(client, http.MethodGet, service, path, nil)
	})
	d.Host.Cleanup(func() {
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
func (b *begun) wait() rig.Answer {
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

// toldBy is all that the logs hold of a service, a line each.
func toldBy(d *rig.Daemon, service string) string {
	d.Host.Helper()
	return d.CLI("services", "logs", service, "--system", "--format", "value(textPayload)").Exits(0).Stdout
}

// tells waits until the logs of a service hold every one of texts.
func tells(d *rig.Daemon, service string, texts ...string) {
	d.Host.Helper()
	log := ""
	d.Host.Cleanup(func() {
		if d.Host.Failed() {
			d.Host.Logf("the log of %s:\n%s", service, rig.Clip(log))
		}
	})
	d.Until("the log of "+service+" has "+strings.Join(texts, " and "), func() bool {
		log = toldBy(d, service)
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
}

// selfOf is the public ID of the instance that answers, and its process.
func selfOf(d *rig.Daemon, service string) (instance, boot string) {
	d.Host.Helper()
	words := strings.Fields(d.Get(service, "/self").Is(d.Host, 200).Body)
	if len(words) != 2 {
		d.Host.Fatalf("%s says of itself %q", service, words)
	}
	return words[0], words[1]
}

// replacedBy waits until another instance than one answers, and gives its ID.
func replacedBy(d *rig.Daemon, service, instance string) (another string) {
	d.Host.Helper()
	d.Eventually("another instance of "+service+" answers", func() bool {
		a := d.Get(service, "/self")
		another, _, _ = strings.Cut(a.Body, " ")
		return a.Code == 200 && another != instance
	})
	return another
}

// numberAt asks a service for a number.
func numberAt(d *rig.Daemon, service, path string) int64 {
	d.Host.Helper()
	a := d.Get(service, path).Is(d.Host, 200)
	word, _, _ := strings.Cut(strings.TrimSpace(a.Body), " ")
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		d.Host.Fatalf("%s%s: %v", service, path, err)
	}
	return n
}

// settingsOf are what the cgroups below a daemon's have in the files of these
// names, in version 1 and version 2 of cgroups, by directory.
func settingsOf(d *rig.Daemon, names ...string) map[string]string {
	d.Host.Helper()
	found := map[string]string{}
	for _, root := range rig.CgroupDirs(d.Host.TB, d.Root) {
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

// quotasOf are the quotas of CPU, in microseconds for 100 ms, that the containers
// below the daemon have.
func quotasOf(d *rig.Daemon) map[string]bool {
	d.Host.Helper()
	found := map[string]bool{}
	for _, text := range settingsOf(d, "cpu.cfs_quota_us", "cpu.max") {
		quota, _, _ := strings.Cut(text, " ")
		found[quota] = true
	}
	return found
}

// pidsOf are the processes of the daemon's instances, as this process sees them.
func pidsOf(d *rig.Daemon) map[string]bool {
	d.Host.Helper()
	found := map[string]bool{}
	for _, text := range settingsOf(d, "cgroup.procs") {
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
