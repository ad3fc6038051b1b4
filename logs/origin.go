package logs

import (
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// origin is what all entries of an execution have in common.
type origin struct {
	project, job, execution string
	uid, container          string
	resource                Resource
	timeout                 time.Duration
	memory                  contract.Bytes
}

func newOrigin(x *runpb.Execution) *origin {
	parts := strings.Split(x.GetName(), "/")
	template := x.GetTemplate()
	o := &origin{
		project: parts[1], job: path.Base(x.GetJob()), execution: path.Base(x.GetName()),
		uid: x.GetUid(), timeout: template.GetTimeout().AsDuration(), memory: contract.DefaultMemory,
	}
	o.resource = Resource{jobType, map[string]string{"project_id": o.project, "location": parts[3], "job_name": o.job}}
	o.container = o.job + "-1"
	if all := template.GetContainers(); len(all) > 0 {
		if all[0].GetName() != "" {
			o.container = all[0].GetName()
		}
		if memory, err := contract.ParseBytes(all[0].GetResources().GetLimits()["memory"]); err == nil {
			o.memory = memory
		}
	}
	return o
}

// subject is what the entries of an attempt are about.
func (o *origin) subject(id string, task, attempt int) subject {
	return subject{o.project, o.resource, map[string]string{
		labelInstance:  scheduler.PublicID(o.uid, id),
		labelContainer: o.container,
		labelExecution: o.execution,
		labelTask:      strconv.Itoa(task),
		labelAttempt:   strconv.Itoa(attempt),
	}}
}

// newLog is the log of an attempt, in the directory dir.
func newLog(dir string, o *origin, id string, task, attempt int) *log {
	return &log{
		id:     id,
		of:     sync.OnceValue(func() subject { return o.subject(id, task, attempt) }),
		reader: reader{path: logfile.Path(dir, id)},
		place:  key{time: firstKey.time, instance: id},
	}
}
