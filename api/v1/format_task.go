package v1

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatTask is t in v1. Options.Export leaves out t's status as well.
func FormatTask(t *runpb.Task, o Options) *Task {
	template := &runpb.TaskTemplate{
		Containers:                 t.GetContainers(),
		Retries:                    &runpb.TaskTemplate_MaxRetries{MaxRetries: t.GetMaxRetries()},
		Timeout:                    t.GetTimeout(),
		ServiceAccount:             t.GetServiceAccount(),
		ExecutionEnvironment:       t.GetExecutionEnvironment(),
		EncryptionKey:              t.GetEncryptionKey(),
		VpcAccess:                  t.GetVpcAccess(),
		NodeSelector:               t.GetNodeSelector(),
		GpuZonalRedundancyDisabled: t.GpuZonalRedundancyDisabled,
	}
	annotations := taskAnnotations(template)
	annotations.set(scheduledKey, timestamp(t.GetScheduledTime()))
	out := &Task{
		APIVersion: APIVersion, Kind: KindTask,
		Metadata: o.objectMeta(t, pluralTasks, annotations, taskLabels(t)),
		Spec:     *taskSpec(template),
	}
	if !o.Export {
		out.Status = taskStatus(t)
	}
	return out
}

// taskLabels are the labels that a server gives a task, besides the one with
// its state, which it has in v2 as well.
func taskLabels(t *runpb.Task) texts {
	name, labels := split(t.GetName()), texts{}
	labels.set(jobKey, name.job)
	labels.set(executionKey, name.execution)
	return labels
}

func taskStatus(t *runpb.Task) *TaskStatus {
	s := &TaskStatus{
		ObservedGeneration: t.GetObservedGeneration(),
		Conditions:         conditions(t.GetConditions(), t.GetDeleteTime() != nil),
		Index:              t.GetIndex(),
		Retried:            t.GetRetried(),
		StartTime:          timestamp(t.GetStartTime()),
		CompletionTime:     timestamp(t.GetCompletionTime()),
		LogURI:             t.GetLogUri(),
	}
	if r := t.GetLastAttemptResult(); r != nil {
		s.LastAttemptResult = &AttemptResult{
			Status:   AttemptStatus{Code: r.GetStatus().GetCode(), Message: r.GetStatus().GetMessage()},
			ExitCode: r.GetExitCode(), TermSignal: r.GetTermSignal(),
		}
	}
	return s
}
