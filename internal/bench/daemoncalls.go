package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// parent is where the jobs live.
const parent = "projects/bench/locations/europe-west1"

// workload is a job that differs from others in this.
type workload struct {
	name               string
	image, cpu, memory string
	tasks, parallelism int
	command            []string
}

// resource is a resource of the API: what of it is looked at.
type resource struct {
	Name           string
	RunningCount   int
	SucceededCount int
	CompletionTime string
}

// operation is a long-running operation of the API.
type operation struct {
	Name     string
	Done     bool
	Metadata resource
	Error    *struct{ Message string }
}

// call makes one request and reads the answer, of JSON, into it if it is not nil.
func (d *daemon) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://daemon/v2/"+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, raw)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// get reads what is at path, and throws it away.
func (d *daemon) get(ctx context.Context, path string) error {
	return d.call(ctx, http.MethodGet, path, nil, nil)
}

// create creates the job of a workload and waits until it is ready.
func (d *daemon) create(ctx context.Context, w workload) error {
	container := map[string]any{
		"image": w.image, "command": w.command,
		"resources": map[string]any{"limits": map[string]string{"cpu": w.cpu, "memory": w.memory}},
	}
	job := map[string]any{"template": map[string]any{
		"taskCount": w.tasks, "parallelism": w.parallelism,
		"template": map[string]any{"maxRetries": 0, "timeout": "86400s", "containers": []any{container}},
	}}
	return d.carryOut(ctx, http.MethodPost, parent+"/jobs?jobId="+w.name, job)
}

// run begins an execution of a job and returns its operation.
func (d *daemon) run(ctx context.Context, job string) (o operation, err error) {
	return o, d.call(ctx, http.MethodPost, parent+"/jobs/"+job+":run", struct{}{}, &o)
}

// remove deletes what has a name, and all that is in it.
func (d *daemon) remove(ctx context.Context, name string) error {
	return d.carryOut(ctx, http.MethodDelete, name, nil)
}

// carryOut makes a request and waits until its operation is done.
func (d *daemon) carryOut(ctx context.Context, method, path string, body any) error {
	var o operation
	if err := d.call(ctx, method, path, body, &o); err != nil {
		return err
	}
	return d.wait(ctx, o)
}

// wait returns when an operation is done.
func (d *daemon) wait(ctx context.Context, o operation) error {
	for !o.Done {
		if err := d.call(ctx, http.MethodPost, o.Name+":wait", map[string]string{"timeout": "60s"}, &o); err != nil {
			return err
		}
	}
	if o.Error != nil {
		return errors.New(o.Error.Message)
	}
	return nil
}

// running waits until so many instances of an execution run.
func (d *daemon) running(ctx context.Context, execution string, n int) error {
	var x resource
	var failure error
	err := until(ctx, func() bool {
		failure = d.call(ctx, http.MethodGet, execution, nil, &x)
		return failure != nil || x.RunningCount == n
	})
	if err != nil {
		err = fmt.Errorf("%d instead of %d tasks of %s run: %w", x.RunningCount, n, execution, err)
	}
	return errors.Join(err, failure)
}

// taskOf is the name of a task of an execution.
func taskOf(execution string, index int) string {
	id := execution[strings.LastIndexByte(execution, '/')+1:]
	return execution + "/tasks/" + id + "-task" + strconv.Itoa(index)
}
