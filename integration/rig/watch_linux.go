package rig

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Said is all that the logs hold of a service, a line each.
func (d *Daemon) Said(service string) string {
	d.Host.Helper()
	return d.CLI("services", "logs", service, "--system", "--limit", "1000", "--format", "value(textPayload)").Exits(0).Stdout
}

// Says waits until the logs of a service hold every one of texts.
func (d *Daemon) Says(service string, texts ...string) {
	d.Host.Helper()
	log := ""
	d.Host.Cleanup(func() {
		if d.Host.Failed() {
			d.Host.Logf("the log of %s:\n%s", service, Clip(log))
		}
	})
	d.Until("the log of "+service+" has "+strings.Join(texts, " and "), func() bool {
		log = d.Said(service)
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
}

// When is when the lines of a service's log were written that hold a text, the
// oldest first. More are flags of "services logs".
func (d *Daemon) When(service, text string, more ...string) (when []time.Time) {
	d.Host.Helper()
	args := append([]string{"services", "logs", service, "--system", "--limit", "1000", "--format", "json"}, more...)
	lines := json.NewDecoder(strings.NewReader(d.CLI(args...).Exits(0).Stdout))
	for {
		var e struct {
			Timestamp   time.Time
			TextPayload string
		}
		if err := lines.Decode(&e); err == io.EOF {
			return when
		} else if err != nil {
			d.Host.Fatalf("the log of %s: %v", service, err)
		}
		if strings.Contains(e.TextPayload, text) {
			when = append(when, e.Timestamp)
		}
	}
}

// Self is the public ID of the instance that answers, and its process.
func (d *Daemon) Self(service string) (instance, boot string) {
	d.Host.Helper()
	words := strings.Fields(d.Get(service, "/self").Is(d.Host, 200).Body)
	if len(words) != 2 {
		d.Host.Fatalf("%s says of itself %q", service, words)
	}
	return words[0], words[1]
}

// Replaced waits until another instance than one answers, and gives its ID.
func (d *Daemon) Replaced(service, instance string) (another string) {
	d.Host.Helper()
	d.Until("another instance of "+service+" answers", func() bool {
		a := d.Get(service, "/self")
		another, _, _ = strings.Cut(a.Body, " ")
		return a.Code == 200 && another != instance
	})
	return another
}

// Number asks a service for a number.
func (d *Daemon) Number(service, path string) int64 {
	d.Host.Helper()
	a := d.Get(service, path).Is(d.Host, 200)
	word, _, _ := strings.Cut(strings.TrimSpace(a.Body), " ")
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		d.Host.Fatalf("%s%s: %v", service, path, err)
	}
	return n
}

// Settings are what the cgroups of a service's instances and of their containers
// have in the first of these files that there is: names are those of version 1
// and of version 2 of cgroups. By directory.
func (d *Daemon) Settings(service string, names ...string) map[string]string {
	d.Host.Helper()
	found := map[string]string{}
	for _, root := range CgroupDirs(d.Host.TB, d.Root) {
		for _, name := range names {
			for _, below := range []string{"", "*"} {
				paths, _ := filepath.Glob(filepath.Join(root, service+"-*", below, name)) // the pattern is fine
				for _, path := range paths {
					if text, err := os.ReadFile(path); err == nil && instanceOf(service, path) != "" {
						found[filepath.Dir(path)] = strings.TrimSpace(string(text))
					}
				}
			}
			if len(found) > 0 {
				return found
			}
		}
	}
	return found
}

// instanceOf is which instance of a service a file below its cgroups is of;
// empty for others. What an instance is called begins with its service's name and
// an identity of its revision.
func instanceOf(service, path string) string {
	for part := range strings.SplitSeq(path, "/") {
		rest, ok := strings.CutPrefix(part, service+"-")
		if ok && strings.Count(rest, "-") == 1 && len(rest) == instanceTail {
			return part
		}
	}
	return ""
}

// instanceTail is the length of what follows the name of a service in that of
// an instance: twelve digits of the revision, a hyphen, ten of its own.
const instanceTail = 12 + 1 + 10

// Started are the processes of a service's instances by the name of the
// instance. One that only waits to be started has none.
func (d *Daemon) Started(service string) map[string][]int {
	d.Host.Helper()
	found := map[string]map[int]bool{}
	for dir, text := range d.Settings(service, "cgroup.procs") {
		id := instanceOf(service, dir)
		if id == "" {
			continue
		}
		for _, word := range strings.Fields(text) {
			pid, err := strconv.Atoi(word)
			if err != nil || waits(pid) {
				continue
			}
			if found[id] == nil {
				found[id] = map[int]bool{}
			}
			found[id][pid] = true
		}
	}
	started := map[string][]int{}
	for id, pids := range found {
		started[id] = slices.Sorted(maps.Keys(pids))
	}
	return started
}

// waits reports whether a process is that of a container which has not been let
// run yet, or has gone.
func waits(pid int) bool {
	exe, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return err != nil || strings.Contains(exe, "runnel-shim") || strings.Contains(exe, "memfd:")
}

// Instances are how many instances each revision of a service has that are
// started, the fewest first.
func (d *Daemon) Instances(service string) []int {
	d.Host.Helper()
	of := map[string]int{}
	for id := range d.Started(service) {
		of[id[:strings.LastIndexByte(id, '-')]]++
	}
	return slices.Sorted(maps.Values(of))
}

// Settles waits until the revisions of a service have so many instances each.
func (d *Daemon) Settles(service string, counts ...int) {
	d.Host.Helper()
	now := d.Instances(service)
	d.Host.Cleanup(func() {
		if d.Host.Failed() {
			d.Host.Logf("instances of %s by revision were %v last, wanted were %v", service, now, counts)
		}
	})
	d.Until("there are as many instances of "+service+" as wanted", func() bool {
		now = d.Instances(service)
		return slices.Equal(now, counts)
	})
}

// Quotas are the quotas of CPU, in microseconds for 100 ms, that a service's
// containers have which are started.
func (d *Daemon) Quotas(service string) map[string]bool {
	d.Host.Helper()
	started, found := d.Started(service), map[string]bool{}
	for dir, text := range d.Settings(service, "cpu.cfs_quota_us", "cpu.max") {
		if started[instanceOf(service, dir)] != nil {
			quota, _, _ := strings.Cut(text, " ")
			found[quota] = true
		}
	}
	return found
}

// IsHere reports whether a process is alive.
func IsHere(pid int) bool { return unix.Kill(pid, 0) == nil }

// End waits until none of a service's processes is there any more.
func (d *Daemon) End(what string, of map[string][]int) {
	d.Host.Helper()
	d.Until(what+" end", func() bool {
		for _, pids := range of {
			if slices.ContainsFunc(pids, IsHere) {
				return false
			}
		}
		return true
	})
}
