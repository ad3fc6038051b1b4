package v1

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
