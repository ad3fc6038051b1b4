package control_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
)

func TestJobsArePaged(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	var want []string
	for i := range 5 {
		want = append(want, w.Job(fmt.Sprintf("job-%d", i), 1))
	}
	slices.Reverse(want)
	q := control.Query[*runpb.Job]{Parent: parent, PageSize: 2}
	var got, tokens []string
	for {
		page, next, err := w.Control.Jobs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range page {
			got = append(got, job.GetName())
		}
		if next == "" {
			break
		}
		tokens, q.PageToken = append(tokens, next), next
	}
	if !slices.Equal(got, want) || len(tokens) != 2 {
		t.Errorf("got %v with %d tokens", got, len(tokens))
	}

	q.PageSize = -1
	_, _, err := w.Control.Jobs(t.Context(), q)
	violates(t, err, "pageSize")
	q.PageSize = 5000
	if page, next, err := w.Control.Jobs(t.Context(), q); err != nil || len(page) != 1 || next != "" {
		t.Errorf("a page that is larger than allowed: %d, %q, %v", len(page), next, err)
	}
	for _, change := range []func(*control.Query[*runpb.Job]){
		func(q *control.Query[*runpb.Job]) { q.PageToken = "nonsense" },
		func(q *control.Query[*runpb.Job]) { q.Text = "labels" },
		func(q *control.Query[*runpb.Job]) { q.Parent = "projects/local/locations/-" },
	} {
		q := control.Query[*runpb.Job]{Parent: parent, PageToken: tokens[0]}
		change(&q)
		_, _, err := w.Control.Jobs(t.Context(), q)
		violates(t, err, "pageToken")
	}
}

func TestListsThatMatch(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	a, b := w.Job("a", 2), w.Job("b", 3)
	for range 3 {
		for _, job := range []string{a, b} {
			_, op := w.Run(job)
			w.WaitFor(op.GetName())
		}
	}
	count := func(parent string, match func(*runpb.Execution) bool) (n int) {
		q := control.Query[*runpb.Execution]{Parent: parent, PageSize: 1, Match: match}
		for {
			page, next, err := w.Control.Executions(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if n += len(page); next == "" {
				return n
			}
			q.PageToken = next
		}
	}
	two := func(x *runpb.Execution) bool { return x.GetTaskCount() == 2 }
	if n := count(a, nil); n != 3 {
		t.Errorf("%d of one job", n)
	}
	if n := count(parent+"/jobs/-", nil); n != 6 {
		t.Errorf("%d of all jobs", n)
	}
	if n := count("projects/local/locations/-/jobs/-", two); n != 3 {
		t.Errorf("%d that match", n)
	}
	if n := count(parent+"/jobs/none", nil); n != 0 {
		t.Errorf("%d of no job", n)
	}
	if n := count("projects/other/locations/-/jobs/-", nil); n != 0 {
		t.Errorf("%d in another project", n)
	}
}

func TestTasksArePaged(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 7)
	x, op := w.Run(name)
	w.WaitFor(op.GetName())
	_, op = w.Run(name)
	w.WaitFor(op.GetName())
	indexes := func(parent string, match func(*runpb.Task) bool) (all []int32) {
		q := control.Query[*runpb.Task]{Parent: parent, PageSize: 3, Match: match}
		for {
			page, next, err := w.Control.Tasks(t.Context(), q)
			if err != nil || len(page) > 3 {
				t.Fatal(len(page), err)
			}
			for _, task := range page {
				all = append(all, task.GetIndex())
			}
			if next == "" {
				return all
			}
			q.PageToken = next
		}
	}
	if got := fmt.Sprint(indexes(x.GetName(), nil)); got != "[0 1 2 3 4 5 6]" {
		t.Errorf("one execution: %s", got)
	}
	if got := fmt.Sprint(indexes(name+"/executions/-", nil)); got != "[0 1 2 3 4 5 6 0 1 2 3 4 5 6]" {
		t.Errorf("both: %s", got)
	}
	odd := func(t *runpb.Task) bool { return t.GetIndex()%2 == 1 }
	if got := fmt.Sprint(indexes("projects/local/locations/-/jobs/-/executions/-", odd)); got != "[1 3 5 1 3 5]" {
		t.Errorf("odd ones: %s", got)
	}
	_, _, err := w.Control.Tasks(t.Context(), control.Query[*runpb.Task]{Parent: name + "/executions/none"})
	fails(t, err, 5, "of kind 'EXECUTION'")
}

func TestNamesWithoutTheirLocation(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	x, op := w.Run(name)
	w.WaitFor(op.GetName())
	id := x.GetName()[len(name+"/executions/"):]
	in := "projects/" + controltest.ProjectNumber + "/locations/-"
	job, err := w.Control.Job(t.Context(), in+"/jobs/hello")
	if err != nil || job.GetName() != name {
		t.Errorf("job: %v, %v", job, err)
	}
	got, err := w.Control.Execution(t.Context(), in+"/jobs/-/executions/"+id)
	if err != nil || got.GetName() != x.GetName() {
		t.Errorf("execution: %v, %v", got, err)
	}
	task, err := w.Control.Task(t.Context(), in+"/jobs/-/executions/-/tasks/"+id+"-task0")
	if err != nil || task.GetName() != x.GetName()+"/tasks/"+id+"-task0" {
		t.Errorf("task: %v, %v", task, err)
	}
	for _, id := range []string{id + "-task1", id + "-task00", "x"} {
		_, err = w.Control.Task(t.Context(), x.GetName()+"/tasks/"+id)
		fails(t, err, 5, "of kind 'TASK'")
	}
	for _, bad := range []string{"", "hello", parent, name + "/", "projects/p/jobs/x/locations/l", "projects/p/locations/l/jobs/a b"} {
		_, err := w.Control.Job(t.Context(), bad)
		violates(t, err, "name")
	}
}

// A page of large resources has fewer of them, so that neither the daemon nor
// its client has to hold thousands of megabytes; no page leaves any out.
func TestPagesOfLargeResources(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	const n = 7
	for i := range n {
		spec := controltest.NewJob(n)
		env := &spec.Template.Template.Containers[0].Env
		for j := range 40 {
			*env = append(*env, &runpb.EnvVar{Name: fmt.Sprint("V", j), Values: &runpb.EnvVar_Value{Value: strings.Repeat("x", 32_000)}})
		}
		create(t, w, fmt.Sprint("large-", i), spec)
	}
	x, op := w.Run(parent + "/jobs/large-0")
	w.WaitFor(op.GetName())

	jobs := control.Query[*runpb.Job]{Parent: parent, PageSize: 1000}
	seen, pages := 0, 0
	for more := true; more; more = jobs.PageToken != "" {
		page, next, err := w.Control.Jobs(t.Context(), jobs)
		if err != nil {
			t.Fatal(err)
		}
		seen, pages, jobs.PageToken = seen+len(page), pages+1, next
	}
	if seen != n || pages < 3 {
		t.Errorf("%d jobs on %d pages", seen, pages)
	}
	tasks := control.Query[*runpb.Task]{Parent: x.GetName(), PageSize: 1000}
	seen, pages = 0, 0
	for more := true; more; more = tasks.PageToken != "" {
		page, next, err := w.Control.Tasks(t.Context(), tasks)
		if err != nil {
			t.Fatal(err)
		}
		seen, pages, tasks.PageToken = seen+len(page), pages+1, next
	}
	if seen != n || pages < 2 {
		t.Errorf("%d tasks on %d pages", seen, pages)
	}
}
