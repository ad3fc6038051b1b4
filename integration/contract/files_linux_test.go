package contract

import (
	"strings"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// contract: FS-1
func TestFS1RootIsMemory(t *testing.T) {
	d := daemon(t)
	var w written
	smallTask(t, d, nameOf(t), &w, "--args", "write,path=/x,mib=40")
	if w.Error != "" || w.Written != 40<<20 || w.grown() < 38 || w.grown() > 60 {
		t.Errorf("40 MiB in a file are %d MiB of memory: %+v", w.grown(), w)
	}
}

// contract: FS-2
func TestFS2WhoFillsTheRootEnds(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	r := d.CLI("jobs", "deploy", name, "--image", d.Host.Inside(), "--args", "write,path=/x,mib=300", "--cpu", "0.5", "--memory", "128Mi",
		"--max-retries", "0", "--execute-now", "--wait").Exits(1)
	r.Shows("The configured memory limit was reached.")

	serveInside(d, name)
	before := instanceOf(d, name)
	d.Get(name, "/write?path=/x&mib=300").Is(d.Host, 500)
	d.Eventually("another instance answers", func() bool {
		a := d.Get(name, "/report?only=metadata")
		return a.Code == 200 && !strings.Contains(a.Body, before)
	})
	d.Eventually("the log says why", func() bool {
		return strings.Contains(d.CLI("services", "logs", name, "--system").Stdout, "Memory limit of 128 MiB exceeded with ")
	})
}

// instanceOf is the id of the instance of a service that answers.
func instanceOf(d *rig.Daemon, service string) string {
	d.Host.Helper()
	var r look.Report
	act(d, service, "report", &r, "only", "metadata")
	if r.Metadata.InstanceID == "" {
		d.Host.Fatalf("an instance does not know itself: %+v", r.Metadata)
	}
	return r.Metadata.InstanceID
}

// contract: FS-3
func TestFS3WhatWasWrittenGoesWithTheInstance(t *testing.T) {
	d := daemon(t)
	logs := runScript(t, d, `for f in /x /tmp/x /var/log/x /dev/shm/x /home/app/x; do
			[ -e $f ] && echo found $f
			echo mine >$f || echo cannot write $f
		done; echo attempt $CLOUD_RUN_TASK_ATTEMPT; exit $((CLOUD_RUN_TASK_ATTEMPT == 0))`, "--max-retries", "1")
	if logs != "attempt 0\nattempt 1\n" {
		t.Errorf("two attempts say\n%s", logs)
	}
	serveInside(d, nameOf(t))
	var w written
	act(d, nameOf(t), "write", &w, "path", "/x", "text", "mine")
	if got := readIn(d, nameOf(t), "/x"); got != "mine" || w.Error != "" {
		t.Errorf("%q is in the file, after %+v", got, w)
	}
	_ = d.Get(nameOf(t), "/exit") // its instance ends
	d.Eventually("the next instance has no such file", func() bool {
		return strings.Contains(d.Get(nameOf(t), "/read?path=/x").Body, "no such file")
	})
}

// readIn is what an instance of a service has in a file, "" if there is none.
func readIn(d *rig.Daemon, service, path string) string {
	d.Host.Helper()
	var read struct{ Text, Error string }
	act(d, service, "read", &read, "path", path)
	return read.Text
}

// contract: FS-4
func TestFS4InstancesDoNotSeeEachOthersFiles(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	serveInside(d, name, "--concurrency", "1", "--max-instances", "2")
	first := instanceOf(d, name)
	var w written
	act(d, name, "write", &w, "path", "/tmp/x", "text", "mine")
	if got := readIn(d, name, "/tmp/x"); got != "mine" {
		t.Fatalf("%q is in the file, after %+v", got, w)
	}
	holdOpen(t, d, name, "/signals?for=1h")
	d.Eventually("another instance answers", func() bool { return instanceOf(d, name) != first })
	if got := readIn(d, name, "/tmp/x"); got != "" {
		t.Errorf("the other instance sees %q", got)
	}
}

// contract: FS-5
func TestFS5UsualPlacesWork(t *testing.T) {
	d := daemon(t)
	logs := runScript(t, d, `for f in /tmp/x /var/log/x /dev/shm/x; do
			echo mine >$f && [ "$(cat $f)" = mine ] && echo $f works
		done; echo modes $(stat -c '%a' /tmp /dev/shm)
		su app -s /bin/sh -c 'echo mine >/tmp/y && echo mine >/dev/shm/y && logger from a user' && echo for users too
		logger -t this is a message to the log; sleep 1`)
	for _, want := range []string{"/tmp/x works\n", "/var/log/x works\n", "/dev/shm/x works\n", "modes 1777 1777\n", "for users too\n", "is a message to the log", "from a user"} {
		if !strings.Contains(logs, want) {
			t.Errorf("lacks %q:\n%s", want, logs)
		}
	}
}
