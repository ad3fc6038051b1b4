package v1

// Revision is a revision of a service, as v1 writes it.
type Revision struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   ObjectMeta      `json:"metadata"`
	Spec       RevisionSpec    `json:"spec"`
	Status     *RevisionStatus `json:"status,omitempty"`
}

// RevisionStatus says whether a revision can serve.
type RevisionStatus struct {
	ObservedGeneration int64       `json:"observedGeneration,omitempty"`
	Conditions         []Condition `json:"conditions,omitempty"`
	// ImageDigest is the ingress container's image by its digest;
	// ContainerStatuses have those of all.
	ImageDigest       string            `json:"imageDigest,omitempty"`
	ContainerStatuses []ContainerStatus `json:"containerStatuses,omitempty"`
	ServiceName       string            `json:"serviceName,omitempty"`
	LogURL            string            `json:"logUrl,omitempty"`
	// DesiredReplicas is how many instances there are at the least.
	DesiredReplicas int32 `json:"desiredReplicas,omitempty"`
}

// ContainerStatus is what a container's image meant when it was deployed.
type ContainerStatus struct {
	Name        string `json:"name,omitempty"`
	ImageDigest string `json:"imageDigest,omitempty"`
}

// Configuration is the part of a service that makes revisions. It cannot be
// changed by itself.
type Configuration struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Metadata   ObjectMeta           `json:"metadata"`
	Spec       ConfigurationSpec    `json:"spec"`
	Status     *ConfigurationStatus `json:"status,omitempty"`
}

// ConfigurationSpec is what the next revision is made from.
type ConfigurationSpec struct {
	Template *RevisionTemplate `json:"template,omitempty"`
}

// ConfigurationStatus says which revisions came of it.
type ConfigurationStatus struct {
	ObservedGeneration        int64       `json:"observedGeneration,omitempty"`
	Conditions                []Condition `json:"conditions,omitempty"`
	LatestReadyRevisionName   string      `json:"latestReadyRevisionName,omitempty"`
	LatestCreatedRevisionName string      `json:"latestCreatedRevisionName,omitempty"`
}

// Route is the part of a service that shares out requests. It cannot be changed
// by itself.
type Route struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Metadata   ObjectMeta   `json:"metadata"`
	Spec       RouteSpec    `json:"spec"`
	Status     *RouteStatus `json:"status,omitempty"`
}

// RouteSpec says which share goes where.
type RouteSpec struct {
	Traffic []TrafficTarget `json:"traffic,omitempty"`
}

// RouteStatus says where requests go.
type RouteStatus struct {
	ObservedGeneration int64           `json:"observedGeneration,omitempty"`
	Conditions         []Condition     `json:"conditions,omitempty"`
	Traffic            []TrafficTarget `json:"traffic,omitempty"`
	URL                string          `json:"url,omitempty"`
	Address            *Address        `json:"address,omitempty"`
}
