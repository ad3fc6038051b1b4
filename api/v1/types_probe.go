package v1

// Probe is how a container's health is asked for: in one of three ways.
type Probe struct {
	InitialDelaySeconds int32      `json:"initialDelaySeconds,omitempty"`
	TimeoutSeconds      int32      `json:"timeoutSeconds,omitempty"`
	PeriodSeconds       int32      `json:"periodSeconds,omitempty"`
	FailureThreshold    int32      `json:"failureThreshold,omitempty"`
	HTTPGet             *HTTPGet   `json:"httpGet,omitempty"`
	TCPSocket           *TCPSocket `json:"tcpSocket,omitempty"`
	GRPC                *GRPC      `json:"grpc,omitempty"`

	// SuccessThreshold may be said, if it is 1.
	SuccessThreshold *int32      `json:"successThreshold,omitempty"`
	Exec             Unsupported `json:"exec,omitzero" why:"Cloud Run runs no commands for a probe; want httpGet, tcpSocket or grpc"`
}

// HTTPGet is a request that is answered with 200 to 399 in good health.
type HTTPGet struct {
	Path        string       `json:"path,omitempty"`
	Port        int32        `json:"port,omitempty"`
	HTTPHeaders []HTTPHeader `json:"httpHeaders,omitempty"`

	Host   Unsupported `json:"host,omitzero" why:"the container itself is asked"`
	Scheme Unsupported `json:"scheme,omitzero" why:"probes are plain HTTP"`
}

// HTTPHeader is a header of such a request.
type HTTPHeader struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
}

// TCPSocket is a port that takes connections in good health.
type TCPSocket struct {
	Port int32       `json:"port,omitempty"`
	Host Unsupported `json:"host,omitzero" why:"the container itself is asked"`
}

// GRPC is a server with gRPC's health service.
type GRPC struct {
	Port    int32  `json:"port,omitempty"`
	Service string `json:"service,omitempty"`
}
