package v1

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatExecution is x in v1. Options.Export leaves out x's status as well.
func FormatExecution(x *runpb.Execution, o Options) *Execution {
	annotations := taskAnnotations(x.GetTemplate())
	if !o.Export {
		annotations.set(creatorKey, x.GetCreator())
	}
	out := &Execution{
		APIVersion: APIVersion, Kind: KindExecution,
		Metadata: o.objectMeta(x, pluralExecutions, annotations, executionLabels(x)),
		Spec: ExecutionSpec{
			Parallelism: nonZero(x.GetParallelism()), TaskCount: nonZero(x.GetTaskCount()),
			Template: &TaskTemplate{Spec: taskSpec(x.GetTemplate())},
		},
	}
	if !o.Export {
		out.Status = executionStatus(x)
	}
	return out
}

// executionLabels are the labels that a server gives an execution.
func executionLabels(x *runpb.Execution) texts {
	labels := texts{}
	labels.set(jobKey, split(x.GetName()).job)
	return labels
}

func executionStatus(x *runpb.Execution) *ExecutionStatus {
	return &ExecutionStatus{
		ObservedGeneration: x.GetObservedGeneration(),
		Conditions:         conditions(x.GetConditions(), x.GetDeleteTime() != nil),
		StartTime:          timestamp(x.GetStartTime()),
		CompletionTime:     timestamp(x.GetCompletionTime()),
		RunningCount:       x.GetRunningCount(),
		SucceededCount:     x.GetSucceededCount(),
		FailedCount:        x.GetFailedCount(),
		CancelledCount:     x.GetCancelledCount(),
		RetriedCount:       x.GetRetriedCount(),
		LogURI:             x.GetLogUri(),
	}
}
