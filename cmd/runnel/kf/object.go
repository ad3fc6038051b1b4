package kf

import (
	"strconv"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// object is a resource in kf's shape, as far as it can be told here.
type object struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       any      `json:"spec"`
	Status     any      `json:"status"`
}

// list is several of them.
type list struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Items      []object `json:"items"`
}

// metadata is that of an object.
type metadata struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	CreationTimestamp string            `json:"creationTimestamp"`
	Labels            map[string]string `json:"labels,omitempty"`
}

// condition is one of an object's status.
type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// taskSpec is what a task is to do.
type taskSpec struct {
	DisplayName string `json:"displayName,omitempty"`
	AppRef      appRef `json:"appRef"`
	CPU         string `json:"cpu,omitempty"`
	Memory      string `json:"memory,omitempty"`
	Disk        string `json:"disk,omitempty"`
	Command     string `json:"command,omitempty"`
	Terminated  bool   `json:"terminated,omitempty"`
}

type appRef struct {
	Name string `json:"name"`
}

// taskStatus is how a task is doing.
type taskStatus struct {
	ID             int         `json:"id"`
	StartTime      string      `json:"startTime,omitempty"`
	CompletionTime string      `json:"completionTime,omitempty"`
	Duration       string      `json:"duration,omitempty"`
	Conditions     []condition `json:"conditions"`
}

// newObject is an object of kf's API.
func newObject(kind, full, uid string, created *timestamppb.Timestamp, labels map[string]string) object {
	return object{
		APIVersion: "kf.dev/v1alpha1", Kind: kind,
		Metadata: metadata{
			Name: verb.Short(full), Namespace: verb.Part(full, "projects"), UID: uid,
			CreationTimestamp: moment(created), Labels: labels,
		},
	}
}

// taskObject is a task.
func taskObject(x *runpb.Execution) object {
	app := x.GetLabels()[contract.KfAppLabel]
	o := newObject("Task", x.GetName(), x.GetUid(), x.GetCreateTime(), map[string]string{
		"app.kubernetes.io/name": app, "app.kubernetes.io/component": "task", "app.kubernetes.io/version": x.GetLabels()[contract.KfTaskLabel],
	})
	limits := map[string]string{}
	if all := x.GetTemplate().GetContainers(); len(all) > 0 {
		limits = all[0].GetResources().GetLimits()
	}
	status, reason := succeeded(x)
	o.Spec = taskSpec{
		DisplayName: x.GetAnnotations()[contract.KfDisplayName], AppRef: appRef{app},
		CPU: limits["cpu"], Memory: limits["memory"], Disk: diskOf(x.GetAnnotations()),
		Command: x.GetAnnotations()[contract.KfCommand], Terminated: reason == cancelled,
	}
	id, _ := strconv.Atoi(x.GetLabels()[contract.KfTaskLabel])
	o.Status = taskStatus{
		ID: id, StartTime: moment(x.GetStartTime()), CompletionTime: moment(x.GetCompletionTime()), Duration: duration(x),
		Conditions: []condition{{Type: "Succeeded", Status: status, Reason: reason, Message: completed(x).GetMessage()}},
	}
	return o
}

// appSpec is what an app is to be.
type appSpec struct {
	Image     string `json:"image"`
	Instances struct {
		Stopped bool `json:"stopped"`
	} `json:"instances"`
	CPU     string `json:"cpu"`
	Memory  string `json:"memory"`
	Disk    string `json:"disk"`
	Command string `json:"command,omitempty"`
}

// jobStatus is how an app or a Kf job is doing.
type jobStatus struct {
	LastScheduleTime string      `json:"lastScheduleTime,omitempty"`
	Conditions       []condition `json:"conditions"`
}

// appObject is an app.
func appObject(app *runpb.Job) object {
	o := newObject("App", app.GetName(), app.GetUid(), app.GetCreateTime(), map[string]string{"app.kubernetes.io/name": appOf(app)})
	limits := container(app).GetResources().GetLimits()
	spec := appSpec{
		Image: container(app).GetImage(), CPU: limits["cpu"], Memory: limits["memory"],
		Disk: diskOf(app.GetTemplate().GetAnnotations()), Command: app.GetTemplate().GetAnnotations()[contract.KfCommand],
	}
	spec.Instances.Stopped = true
	o.Spec, o.Status = spec, jobStatus{Conditions: []condition{readiness(app)}}
	return o
}

// readiness is the condition that says whether a job can run.
func readiness(job *runpb.Job) condition {
	c := job.GetTerminalCondition()
	r := condition{Type: "Ready", Status: "Unknown", Message: c.GetMessage()}
	switch c.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		r.Status = "True"
	case runpb.Condition_CONDITION_FAILED:
		r.Status, r.Reason = "False", "Failed"
		if c.GetReason() == runpb.Condition_CONTAINER_MISSING {
			r.Reason = "ImageMissing"
		}
	default:
		r.Reason = "Pending"
	}
	return r
}

// cancelled is the reason of a task that was terminated. Source: kf, "Cancel a
// Task".
const cancelled = "PipelineRunCancelled"

// completed is the condition that says how an execution ended.
func completed(x *runpb.Execution) *runpb.Condition {
	for _, c := range x.GetConditions() {
		if c.GetType() == "Completed" {
			return c
		}
	}
	return nil
}

// succeeded says whether a task has succeeded, and why not, or not yet.
func succeeded(x *runpb.Execution) (status, reason string) {
	c := completed(x)
	switch c.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		return "True", ""
	case runpb.Condition_CONDITION_FAILED:
		if c.GetExecutionReason() == runpb.Condition_CANCELLED {
			return "False", cancelled
		}
		return "False", "Failed"
	}
	if x.GetStartTime() != nil {
		return "Unknown", "Running"
	}
	return "Unknown", "Pending"
}

// duration is how long a task has run, "" while it has not ended.
func duration(x *runpb.Execution) string {
	if x.GetStartTime() == nil || x.GetCompletionTime() == nil {
		return ""
	}
	return x.GetCompletionTime().AsTime().Sub(x.GetStartTime().AsTime()).Round(time.Second).String()
}

// moment is a time as an object tells it.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

// age is how long ago t was, in its largest unit.
func age(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	d := max(0, time.Since(t.AsTime()))
	switch {
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < 3*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours())/24) + "d"
}
