package v1

// Service is a service as v1 writes it.
type Service struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   ObjectMeta     `json:"metadata"`
	Spec       ServiceSpec    `json:"spec"`
	Status     *ServiceStatus `json:"status,omitempty" set:"server"`
}

// ServiceSpec says what a service's next revision is, and where its requests
// go.
type ServiceSpec struct {
	Template *RevisionTemplate `json:"template,omitempty"`
	Traffic  []TrafficTarget   `json:"traffic,omitempty"`
}

// RevisionTemplate is what a revision is made from.
type RevisionTemplate struct {
	Metadata RevisionMeta  `json:"metadata,omitzero"`
	Spec     *RevisionSpec `json:"spec,omitempty"`
}

// RevisionMeta names and labels the next revision.
type RevisionMeta struct {
	Name              string            `json:"name,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	Namespace         Ignored           `json:"namespace,omitzero"`
	CreationTimestamp Ignored           `json:"creationTimestamp,omitzero"`
}

// IsZero reports whether there is nothing to write.
func (m RevisionMeta) IsZero() bool {
	return m.Name == "" && len(m.Labels) == 0 && len(m.Annotations) == 0
}

// RevisionSpec says what a revision's instances run, and how requests reach
// them.
type RevisionSpec struct {
	// ContainerConcurrency is how many requests an instance may have at once.
	ContainerConcurrency *int32 `json:"containerConcurrency,omitempty"`
	// TimeoutSeconds bounds a request.
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
	InstanceSpec
	Containers []ServiceContainer `json:"containers,omitempty"`
}

// InstanceSpec is what the revisions of services and worker pools have in
// common.
type InstanceSpec struct {
	ServiceAccountName string            `json:"serviceAccountName,omitempty"`
	Volumes            []Volume          `json:"volumes,omitempty"`
	NodeSelector       map[string]string `json:"nodeSelector,omitempty"`

	EnableServiceLinks Ignored     `json:"enableServiceLinks,omitzero"`
	ImagePullSecrets   Unsupported `json:"imagePullSecrets,omitzero" why:"credentials for registries are those of the daemon's user"`
	RuntimeClassName   Unsupported `json:"runtimeClassName,omitzero" why:"automatic base image updates are not supported"`
	GracePeriod        Unsupported `json:"terminationGracePeriodSeconds,omitzero" why:"a grace period other than 10 seconds is not supported yet"`
}

// TrafficTarget is a share of a service's requests, or a tag, and the revision
// that it leads to.
type TrafficTarget struct {
	// LatestRevision says that it leads to the latest one that is ready. A
	// target without it and without a name does as well.
	LatestRevision *bool  `json:"latestRevision,omitempty"`
	RevisionName   string `json:"revisionName,omitempty"`
	Percent        int32  `json:"percent,omitempty"`
	Tag            string `json:"tag,omitempty"`

	URL               string      `json:"url,omitempty" set:"server"`
	ConfigurationName Unsupported `json:"configurationName,omitzero" why:"traffic goes to revisions; want latestRevision or revisionName"`
}

// ServiceStatus says how far a service is what is wanted.
type ServiceStatus struct {
	ObservedGeneration        int64           `json:"observedGeneration,omitempty"`
	Conditions                []Condition     `json:"conditions,omitempty"`
	LatestReadyRevisionName   string          `json:"latestReadyRevisionName,omitempty"`
	LatestCreatedRevisionName string          `json:"latestCreatedRevisionName,omitempty"`
	Traffic                   []TrafficTarget `json:"traffic,omitempty"`
	URL                       string          `json:"url,omitempty"`
	Address                   *Address        `json:"address,omitempty"`
}

// Address is where something takes requests.
type Address struct {
	URL string `json:"url,omitempty"`
}
