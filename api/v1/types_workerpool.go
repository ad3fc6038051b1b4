package v1

// WorkerPool is a worker pool as v1 writes it.
type WorkerPool struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   ObjectMeta        `json:"metadata"`
	Spec       WorkerPoolSpec    `json:"spec"`
	Status     *WorkerPoolStatus `json:"status,omitempty" set:"server"`
}

// WorkerPoolSpec says what a worker pool's next revision is, and how its
// instances are shared out. How many there are is an annotation.
type WorkerPoolSpec struct {
	Template       *WorkerPoolTemplate `json:"template,omitempty"`
	InstanceSplits []InstanceSplit     `json:"instanceSplits,omitempty"`
}

// WorkerPoolTemplate is what a revision is made from.
type WorkerPoolTemplate struct {
	Metadata RevisionMeta            `json:"metadata,omitzero"`
	Spec     *WorkerPoolRevisionSpec `json:"spec,omitempty"`
}

// WorkerPoolRevisionSpec says what a revision's instances run.
type WorkerPoolRevisionSpec struct {
	InstanceSpec
	Containers []WorkerPoolContainer `json:"containers,omitempty"`

	ContainerConcurrency Unsupported `json:"containerConcurrency,omitzero" why:"a worker pool takes no requests"`
	TimeoutSeconds       Unsupported `json:"timeoutSeconds,omitzero" why:"a worker pool takes no requests, and its instances have no end"`
}

// InstanceSplit is a share of a worker pool's instances, in percent, and the
// revision that they are of.
type InstanceSplit struct {
	// LatestRevision says that it is the latest one that is ready. A split
	// without it and without a name is of that one as well.
	LatestRevision *bool  `json:"latestRevision,omitempty"`
	RevisionName   string `json:"revisionName,omitempty"`
	Percent        int32  `json:"percent,omitempty"`
}

// WorkerPoolStatus says how far a worker pool is what is wanted.
type WorkerPoolStatus struct {
	ObservedGeneration        int64           `json:"observedGeneration,omitempty"`
	Conditions                []Condition     `json:"conditions,omitempty"`
	LatestReadyRevisionName   string          `json:"latestReadyRevisionName,omitempty"`
	LatestCreatedRevisionName string          `json:"latestCreatedRevisionName,omitempty"`
	InstanceSplits            []InstanceSplit `json:"instanceSplits,omitempty"`
}
