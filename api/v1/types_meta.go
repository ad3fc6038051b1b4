package v1

// ObjectMeta names and labels an object.
type ObjectMeta struct {
	Name string `json:"name,omitempty"`
	// GenerateName is the beginning of a name that the server completes. It is
	// read only from requests that create.
	GenerateName string `json:"generateName,omitempty"`
	// Namespace is the project.
	Namespace   Project           `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// ResourceVersion is the version that a replacement was made from, as
	// ResourceVersion writes it.
	ResourceVersion string `json:"resourceVersion,omitempty"`

	SelfLink   string `json:"selfLink,omitempty" set:"server"`
	UID        string `json:"uid,omitempty" set:"server"`
	Generation int64  `json:"generation,omitempty" set:"server"`
	// Times are written as RFC 3339 in UTC with six digits of a second.
	CreationTimestamp string `json:"creationTimestamp,omitempty" set:"server"`
	DeletionTimestamp string `json:"deletionTimestamp,omitempty" set:"server"`

	OwnerReferences Ignored `json:"ownerReferences,omitzero"`
	Finalizers      Ignored `json:"finalizers,omitzero"`
	ClusterName     Ignored `json:"clusterName,omitzero"`
	DeletionGrace   Ignored `json:"deletionGracePeriodSeconds,omitzero"`
}

// ListMeta is the metadata of a list.
type ListMeta struct {
	// Continue asks for the rest of the list. Empty: there is none.
	Continue string `json:"continue,omitempty"`
	SelfLink string `json:"selfLink,omitempty"`
}

// List is one page of objects.
type List[T any] struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   ListMeta `json:"metadata"`
	Items      []T      `json:"items"`
}

// Project is the number of a project, or its ID. A file may write it as a
// number.
type Project string
