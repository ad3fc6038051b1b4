package v1

import "cloud.google.com/go/longrunning/autogen/longrunningpb"

// Options say how objects are written.
type Options struct {
	// Namespace stands in metadata.namespace and in links: the number of the
	// project. Empty: the project as the resource's name has it.
	Namespace string
	// Export leaves out what belongs to this one object and this one host:
	// status, versions, times, who changed it last and with which program. The
	// same job, exported before and after it was replaced by its own export,
	// gives the same bytes.
	Export bool

	// operation is the id of the operation that has just begun about the object.
	operation string
}

// about is o for the answer to a request that has begun op, which may be nil.
func (o Options) about(op *longrunningpb.Operation) Options {
	o.operation = shortName(op.GetName())
	return o
}
