package logs

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
)

// contract: LOG-1, LOG-8, LOG-9
func TestStreamOfAnExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(spec rruntime.Spec, out io.Writer) int {
		_, _ = io.WriteString(out, "one\n\ntwo\n")
		_, _ = io.WriteString(w.writer(spec.ID).Stream(logfile.Stderr), "oh")
		return 0
	})
	x := w.run(w.Job("etl", 1))
	w.Ended(x)
	all := w.get(x + ":stream")
	if texts(all) != "one\n\ntwo\noh\n" {
		t.Fatalf("got %q", texts(all))
	}
	e := all[0]
	if e.LogName != "projects/local/logs/run.googleapis.com%2Fstdout" || all[3].LogName != "projects/local/logs/run.googleapis.com%2Fstderr" || e.Severity != "DEFAULT" {
		t.Errorf("got %+v", e)
	}
	if got := fmt.Sprint(e.Resource); got != "{cloud_run_job map[job_name:etl location:us-central1 project_id:local]}" {
		t.Errorf("resource %s", got)
	}
	execution := x[strings.LastIndex(x, "/")+1:]
	if l := e.Labels; l["run.googleapis.com/execution_name"] != execution || l["run.googleapis.com/task_index"] != "0" ||
		l["run.googleapis.com/task_attempt"] != "0" || len(l["instanceId"]) < 32 || l["container_name"] == "" {
		t.Errorf("labels %v", l)
	}
	if again := w.get(x + ":stream"); again[2].InsertID != all[2].InsertID || all[2].InsertID == all[1].InsertID {
		t.Errorf("insert IDs %s, %s, %s", again[2].InsertID, all[2].InsertID, all[1].InsertID)
	}
}

// contract: JOB-17, LOG-4
func TestStreamTellsOfTheEndIfAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int { _, _ = io.WriteString(out, "hi\n"); return 7 })
	x := w.run(w.Job("etl", 1))
	w.Ended(x)
	if got := texts(w.get(x + ":stream")); got != "hi\n" {
		t.Errorf("got %q", got)
	}
	all := w.get(x + ":stream?system=true")
	if texts(all) != "hi\nContainer called exit(7).\n" || !strings.HasSuffix(all[1].LogName, "/logs/run.googleapis.com%2Fvarlog%2Fsystem") {
		t.Errorf("got %+v", all)
	}
	if got := texts(w.get(x + ":stream?system=true&severity=warn")); got != "Container called exit(7).\n" {
		t.Errorf("got %q", got)
	}
}

// A follower gets what is there, what comes, and what new attempts print; the
// stream ends with the execution.
func TestFollow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(spec rruntime.Spec, out io.Writer) int {
		_, _ = io.WriteString(out, "begin "+spec.ID[strings.LastIndex(spec.ID, "-")+1:]+"\n")
		return -1
	})
	job := w.Job("etl", 1)
	stored, err := w.Control.Job(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	stored.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 1}
	if _, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: stored}); err != nil {
		t.Fatal(err)
	} else {
		w.WaitFor(op.GetName())
	}
	x := w.run(job)
	first := <-w.begun
	w.Eventually("the first line without follow", func() bool { return texts(w.get(x+":stream")) == "begin 0\n" })
	entries := w.open(t.Context(), x+":stream?follow=true")
	say := func(id, line, want string) {
		t.Helper()
		_, _ = io.WriteString(w.writer(id).Stream(logfile.Stdout), line+"\n")
		if got := text(w.receive(entries)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if got := text(w.receive(entries)); got != "begin 0" {
		t.Fatalf("got %q", got)
	}
	say(first, "more", "more")
	end := func(id string, code int) {
		t.Helper()
		if err := w.writer(id).Close(); err != nil {
			t.Fatal(err)
		}
		w.Instances.End(id, contract.Exit{Code: code})
	}
	end(first, 1)
	second := <-w.begun
	if got := text(w.receive(entries)); got != "begin 1" {
		t.Fatalf("got %q", got)
	}
	say(second, "again", "again")
	_, _ = io.WriteString(w.writer(second).Stream(logfile.Stdout), "no newline")
	end(second, 0)
	if got := text(w.receive(entries)); got != "no newline" {
		t.Fatalf("got %q", got)
	}
	if e, ok := <-entries; ok {
		t.Errorf("got %+v after the end", e)
	}
}

// contract: LOG-9
func TestStreamsOfAJobAreInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(spec rruntime.Spec, out io.Writer) int {
		_, _ = io.WriteString(out, spec.ID+" 1\n")
		_, _ = io.WriteString(out, spec.ID+" 2\n")
		return 0
	})
	job := w.Job("etl", 20)
	first := w.run(job)
	w.Ended(first)
	second := w.run(job)
	w.Ended(second)
	all := w.get(job + ":stream")
	if len(all) != 80 {
		t.Fatalf("got %d entries", len(all))
	}
	for i, e := range all[1:] {
		if e.Timestamp.Before(all[i].Timestamp) {
			t.Errorf("%s stands after %s", e.InsertID, all[i].InsertID)
		}
	}
	if got := w.get(job + ":stream?limit=50"); texts(got) != texts(all[30:]) {
		t.Errorf("the newest 50 are %s", texts(got))
	}
	if got := w.get(job + ":stream?limit=100"); len(got) != 80 {
		t.Errorf("the newest 100 are %d", len(got))
	}
	one := w.get(second + ":stream?task=7")
	if len(one) != 2 || one[0].Labels[labelTask] != "7" {
		t.Errorf("task 7: %+v", one)
	}
	since := all[41].Timestamp.Format("2006-01-02T15:04:05.999999999Z07:00")
	if got := w.get(job + ":stream?since=" + since); len(got) < 39 || len(got) > 41 {
		t.Errorf("%d entries since %s", len(got), since)
	}
}

func TestBadStreamRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]int{
		controltest.Parent + "/jobs/nosuch:stream":               404,
		controltest.Parent + "/jobs/nosuch/executions/no:stream": 404,
		controltest.Parent + "/jobs/nosuch":                      404,
		controltest.Parent + "/services/x:stream":                404,
		controltest.Parent + "/jobs/x:stream?limit=-1":           400,
		controltest.Parent + "/jobs/x:stream?since=yesterday":    400,
		controltest.Parent + "/jobs/x:stream?follow=maybe":       400,
		controltest.Parent + "/jobs/x:stream?severity=LOUD":      400,
		controltest.Parent + "/jobs/x:stream?task=10000":         400,
		controltest.Parent + "/jobs/x:stream?nosuch=1":           400,
	} {
		resp, err := w.server.Client().Get(w.server.URL + StreamPath + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, resp.Status, want)
		}
	}
}

// A follower that goes away leaves nothing behind, and keeps nobody up.
func TestFollowerGoesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int { _, _ = io.WriteString(out, "hi\n"); return -1 })
	x := w.run(w.Job("etl", 1))
	<-w.begun
	ctx, cancel := context.WithCancel(t.Context())
	entries := w.open(ctx, x+":stream?follow=true")
	if got := text(w.receive(entries)); got != "hi" {
		t.Errorf("got %q", got)
	}
	cancel()
	for e := range entries {
		t.Errorf("got %+v", e)
	}
	w.server.Close() // waits for what is being answered
}

// A follower of an execution that is deleted comes to an end.
func TestFollowerOfWhatIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int { _, _ = io.WriteString(out, "hi\n"); return -1 })
	x := w.run(w.Job("etl", 1))
	<-w.begun
	entries := w.open(t.Context(), x+":stream?follow=true")
	w.receive(entries)
	if _, _, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: x}); err != nil {
		t.Fatal(err)
	}
	select {
	case e, ok := <-entries:
		if ok {
			t.Errorf("got %+v", e)
		}
	case <-time.After(patience):
		t.Error("it goes on")
	}
}

// An answer that cannot be brought to its end does not look as if it was.
func TestBrokenStreamIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int { _, _ = io.WriteString(out, "hi\n"); return 0 })
	x := w.run(w.Job("etl", 2))
	w.Ended(x)
	path := logfile.Path(w.dir, <-w.begun)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	resp, err := w.server.Client().Get(w.server.URL + StreamPath + x + ":stream")
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("it looks whole")
	}
}

// Of executions that run the newest lines are found too.
func TestNewestOfExecutionsThatRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	w.play(func(_ rruntime.Spec, out io.Writer) int {
		n++
		fmt.Fprintf(out, "%d first\n%d second\n", n, n)
		return -1
	})
	job := w.Job("etl", 1)
	for range 2 {
		w.run(job)
		<-w.begun
	}
	w.Eventually("both to be known", func() bool { return len(w.get(job+":stream")) == 4 })
	if got := texts(w.get(job + ":stream?limit=1")); got != "2 second\n" {
		t.Errorf("got %q", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if got := text(w.receive(w.open(ctx, job+":stream?limit=1&follow=true"))); got != "2 second" {
		t.Errorf("got %q", got)
	}
}
