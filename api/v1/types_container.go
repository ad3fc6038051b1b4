package v1

// Container is a task's container.
type Container struct {
	Name       string    `json:"name,omitempty"`
	Image      string    `json:"image,omitempty"`
	Command    []string  `json:"command,omitempty"`
	Args       []string  `json:"args,omitempty"`
	Env        []EnvVar  `json:"env,omitempty"`
	Resources  Resources `json:"resources,omitzero"`
	WorkingDir string    `json:"workingDir,omitempty"`

	// Images are pulled when a job is deployed, whatever the policy says.
	ImagePullPolicy          Ignored     `json:"imagePullPolicy,omitzero"`
	TerminationMessagePath   Ignored     `json:"terminationMessagePath,omitzero"`
	TerminationMessagePolicy Ignored     `json:"terminationMessagePolicy,omitzero"`
	Ports                    Unsupported `json:"ports,omitzero" why:"a job serves no requests, so its container has no port"`
	VolumeMounts             Unsupported `json:"volumeMounts,omitzero" why:"volumes are not supported yet"`
	StartupProbe             Unsupported `json:"startupProbe,omitzero" why:"probes of a job's container are not supported yet"`
	LivenessProbe            Unsupported `json:"livenessProbe,omitzero" why:"probes of a job's container are not supported yet"`
	ReadinessProbe           Unsupported `json:"readinessProbe,omitzero" why:"probes of a job's container are not supported yet"`
	EnvFrom                  Unsupported `json:"envFrom,omitzero" why:"Cloud Run has no such source; want env"`
	SecurityContext          Unsupported `json:"securityContext,omitzero" why:"Cloud Run does not let a container choose it"`
}

// ServiceContainer is a container of a service's instances.
type ServiceContainer struct {
	InstanceContainer
	Ports          []ContainerPort `json:"ports,omitempty"`
	ReadinessProbe *Probe          `json:"readinessProbe,omitempty"`
}

// WorkerPoolContainer is a container of a worker pool's instances.
type WorkerPoolContainer struct {
	InstanceContainer
	Ports          Unsupported `json:"ports,omitzero" why:"a worker pool takes no requests, so its containers have no port"`
	ReadinessProbe Unsupported `json:"readinessProbe,omitzero" why:"a worker pool takes no requests; want startupProbe or livenessProbe"`
}

// InstanceContainer is what the containers of services and worker pools have in
// common.
type InstanceContainer struct {
	Name         string        `json:"name,omitempty"`
	Image        string        `json:"image,omitempty"`
	Command      []string      `json:"command,omitempty"`
	Args         []string      `json:"args,omitempty"`
	Env          []EnvVar      `json:"env,omitempty"`
	Resources    Resources     `json:"resources,omitzero"`
	WorkingDir   string        `json:"workingDir,omitempty"`
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty"`

	StartupProbe  *Probe `json:"startupProbe,omitempty"`
	LivenessProbe *Probe `json:"livenessProbe,omitempty"`

	// Images are pulled when a revision is deployed, whatever the policy says.
	ImagePullPolicy          Ignored     `json:"imagePullPolicy,omitzero"`
	TerminationMessagePath   Ignored     `json:"terminationMessagePath,omitzero"`
	TerminationMessagePolicy Ignored     `json:"terminationMessagePolicy,omitzero"`
	EnvFrom                  Unsupported `json:"envFrom,omitzero" why:"Cloud Run has no such source; want env"`
	SecurityContext          Unsupported `json:"securityContext,omitzero" why:"Cloud Run does not let a container choose it"`
	SandboxLauncher          Unsupported `json:"sandboxLauncher,omitzero" why:"sandboxes are not supported"`
}

// ContainerPort is the port that a container takes requests at. Its name says
// how: http1 or h2c.
type ContainerPort struct {
	Name          string  `json:"name,omitempty"`
	ContainerPort int32   `json:"containerPort,omitempty"`
	Protocol      Ignored `json:"protocol,omitzero"`
}

// EnvVar is a variable of a container's environment.
type EnvVar struct {
	Name      string      `json:"name,omitempty"`
	Value     string      `json:"value,omitempty"`
	ValueFrom Unsupported `json:"valueFrom,omitzero" why:"secrets are not supported yet; want value"`
}

// Resources are a container's limits.
type Resources struct {
	Limits map[string]Quantity `json:"limits,omitempty"`
	// Requests are accepted and have no meaning: a container gets its limits.
	Requests Ignored `json:"requests,omitzero"`
}

// IsZero reports whether there is nothing to write.
func (r Resources) IsZero() bool { return len(r.Limits) == 0 }

// Quantity is an amount of something. A file may write it as a number.
type Quantity string

// Volume is a directory that an instance's containers share.
type Volume struct {
	Name     string    `json:"name,omitempty"`
	EmptyDir *EmptyDir `json:"emptyDir,omitempty"`

	Secret    Unsupported `json:"secret,omitzero" why:"secrets are not supported yet; want emptyDir"`
	ConfigMap Unsupported `json:"configMap,omitzero" why:"Cloud Run has no such volume; want emptyDir"`
	CSI       Unsupported `json:"csi,omitzero" why:"buckets are not supported; want emptyDir"`
	NFS       Unsupported `json:"nfs,omitzero" why:"network file systems are not supported; want emptyDir"`
}

// EmptyDir is a volume that begins empty and ends with its instance.
type EmptyDir struct {
	// Medium is Memory, which is also meant where it is empty.
	Medium    string   `json:"medium,omitempty"`
	SizeLimit Quantity `json:"sizeLimit,omitempty"`
}

// VolumeMount is where a container has a volume.
type VolumeMount struct {
	Name      string `json:"name,omitempty"`
	MountPath string `json:"mountPath,omitempty"`
	SubPath   string `json:"subPath,omitempty"`
	// ReadOnly may be said, if it is false.
	ReadOnly bool `json:"readOnly,omitempty"`
}
