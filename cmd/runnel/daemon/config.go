package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
	"runnel/scheduler"
)

// DefaultConfigFile is read if it exists and no other is named.
const DefaultConfigFile = "/etc/runnel/config.yaml"

// leastIdleTime is less than starting an instance takes.
const leastIdleTime = time.Second

// maxConfigFile is more than any configuration needs, in bytes.
const maxConfigFile = 1 << 20

// Config is the daemon's configuration: the file's fields, by the names of
// their tags, and the flags over them.
type Config struct {
	// Root is the directory of everything the daemon keeps.
	Root string `json:"root"`
	// API is the TCP address of the API, HOST:PORT; empty for none.
	API string `json:"api"`
	// Socket is the path of the API's unix socket; empty for none.
	Socket string `json:"socket"`
	// SocketGroup may use the socket beside root, if there is such a group.
	SocketGroup string `json:"socketGroup"`

	// Project, ProjectNumber and Region are those of who names none.
	Project       string `json:"project"`
	ProjectNumber string `json:"projectNumber"`
	Region        string `json:"region"`
	// ServiceAccount is that of jobs that name none.
	ServiceAccount string `json:"serviceAccount"`

	// TLS secures the API's TCP address.
	TLS TLSConfig `json:"tls"`
	// Ingress is where services take requests.
	Ingress IngressConfig `json:"ingress"`
	// Services is how instances of services are kept.
	Services ServicesConfig `json:"services"`
	// Images is where images come from.
	Images ImagesConfig `json:"images"`
	// Capacity is what instances may have of this host together.
	Capacity CapacityConfig `json:"capacity"`
	// Executions bounds executions.
	Executions ExecutionsConfig `json:"executions"`
	// Kf is what apps and their tasks have in common.
	Kf KfConfig `json:"kf"`
	// Logs bounds what instances print.
	Logs LogsConfig `json:"logs"`
	// Ephemeral ends all instances when the daemon is stopped. Their executions
	// go on when it is started again.
	Ephemeral bool `json:"ephemeral"`
}

// ServicesConfig is how instances of services are kept.
type ServicesConfig struct {
	// IdleTime is how long one without requests is kept, such as 15m.
	IdleTime string `json:"idleTime"`
}

// idleTime is IdleTime, if it is one.
func (c ServicesConfig) idleTime() (time.Duration, error) {
	d, err := time.ParseDuration(c.IdleTime)
	if err == nil && (d < leastIdleTime || d > contract.IdleTime) {
		err = errors.New("out of range")
	}
	return d, err
}

// ImagesConfig is where images come from.
type ImagesConfig struct {
	// TrustedHosts are hosts, HOST:PORT, to which a registry may send us although
	// their addresses are not public: its token server, or its storage.
	TrustedHosts []string `json:"trustedHosts"`
}

// IngressConfig says where services take requests, and under which names.
type IngressConfig struct {
	// Address is the TCP address of plain requests, HOST:PORT; empty for none.
	Address string `json:"address"`
	// TLSAddress is that of requests by TLS; empty for none.
	TLSAddress string `json:"tlsAddress"`
	// Domain is what the hosts of services are below.
	Domain string `json:"domain"`
	// Domains are other hosts, and the services they lead to: an id, or a full
	// name.
	Domains map[string]string `json:"domains"`
	// TLS is the certificate of TLSAddress; made for each host by an authority of
	// the root's own where nothing is said.
	TLS IngressTLSConfig `json:"tls"`
}

// IngressTLSConfig names a certificate of services' hosts, or a public authority
// to get them from.
type IngressTLSConfig struct {
	// Cert and Key are files in PEM form.
	Cert string `json:"cert"`
	Key  string `json:"key"`
	// ACME has each host's certificate got when it is asked for first.
	ACME ACMEConfig `json:"acme"`
}

// ACMEConfig is how certificates are got by ACME.
type ACMEConfig struct {
	// Accept agrees with the authority's terms of service, and has it used.
	Accept bool `json:"accept"`
	// Email is whom the authority writes to; it may be empty.
	Email string `json:"email"`
	// Directory is the authority's address; Let's Encrypt's if empty.
	Directory string `json:"directory"`
}

// ports are those of its addresses.
func (c IngressConfig) ports() (ports []uint16) {
	for _, a := range []string{c.Address, c.TLSAddress} {
		if port := portOf(a); port != 0 {
			ports = append(ports, port)
		}
	}
	return ports
}

// innerDomain is what the hosts of services are below too, for programs that
// take every name below localhost for their own: the resolver of instances, and
// nobody else, knows it.
const innerDomain = "run.internal"

// domains are what hosts of services are below; the first is what people see.
func (c IngressConfig) domains() []string {
	if c.Domain == innerDomain {
		return []string{c.Domain}
	}
	return []string{c.Domain, innerDomain}
}

// TLSConfig names a certificate, or asks for one to be made.
type TLSConfig struct {
	// Cert and Key are files in PEM form.
	Cert string `json:"cert"`
	Key  string `json:"key"`
	// Generate makes a certificate authority and a certificate under the root,
	// unless they are there.
	Generate bool `json:"generate"`
	// Hosts are names and addresses that a generated certificate is good for,
	// beside those of this host's loopback.
	Hosts []string `json:"hosts"`
}

// On reports whether the API speaks TLS.
func (t TLSConfig) On() bool { return t.Generate || t.Cert != "" }

// CapacityConfig is what instances may have together, in quantities such as 4 and
// 16Gi; what the host has where nothing is said. More than that is overcommitted.
type CapacityConfig struct {
	CPU    string `json:"cpu"`
	Memory string `json:"memory"`
}

// override lays what is configured over what the host has.
func (c CapacityConfig) override(host scheduler.Resources) scheduler.Resources {
	if cpu, err := contract.ParseCPU(c.CPU); err == nil && cpu > 0 {
		host.CPU = cpu
	}
	if memory, err := contract.ParseBytes(c.Memory); err == nil && memory > 0 {
		host.Memory = memory
	}
	return host
}

// ExecutionsConfig bounds executions.
type ExecutionsConfig struct {
	// Keep is how many ended executions of a job are kept.
	Keep int `json:"keep"`
	// Running is how many executions may run at once.
	Running int `json:"running"`
}

// KfConfig is what apps and their tasks, those of "runnel kf", have in common.
type KfConfig struct {
	// KeepTasks is how many ended tasks of an app are kept.
	KeepTasks int `json:"keepTasks"`
	// Env are variables of all apps; an app's own win over them.
	Env map[string]string `json:"env"`
}

// LogsConfig bounds logs, in quantities such as 16Mi.
type LogsConfig struct {
	// PerInstance bounds each of the two files of an instance's log.
	PerInstance string `json:"perInstance"`
	// Total bounds all logs together.
	Total string `json:"total"`
}

// DefaultConfig is the configuration where nothing is said.
func DefaultConfig() Config {
	return Config{
		Root:           "/var/lib/runnel",
		API:            "127.0.0.1:8787",
		Socket:         "/run/runnel/runnel.sock",
		SocketGroup:    "runnel",
		Project:        "local",
		ProjectNumber:  "123456789012",
		Region:         "us-central1",
		ServiceAccount: "default@local.iam.gserviceaccount.com",
		Ingress:        IngressConfig{Address: ":8080", Domain: "run.localhost"},
		Services:       ServicesConfig{IdleTime: "15m"},
		Executions:     ExecutionsConfig{Keep: contract.KeptExecutions, Running: contract.RunningExecutions},
		Kf:             KfConfig{KeepTasks: contract.KfKeptTasks},
		Logs:           LogsConfig{PerInstance: "16Mi", Total: "1Gi"},
	}
}

// ReadConfig reads the file at path over the defaults. The default file may be
// missing, any other may not.
func ReadConfig(path string) (Config, error) {
	c := DefaultConfig()
	name := path
	if name == "" {
		name = DefaultConfigFile
	}
	text, err := readBounded(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("cannot read the configuration: %w", err)
	}
	if err := c.lay(text); err != nil {
		return c, cli.Prefixed(name, err)
	}
	return c, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfigFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB, which no configuration is", path)
	}
	return os.ReadFile(path)
}
