package daemon

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/metadata"
)

// Validate returns all that is wrong with c, joined. Each line names the field
// as the file does.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	for _, p := range []struct{ field, path string }{
		{"root", c.Root}, {"socket", c.Socket}, {"tls.cert", c.TLS.Cert}, {"tls.key", c.TLS.Key},
	} {
		if p.path != "" && !filepath.IsAbs(p.path) {
			wrong(p.field, "%q: want an absolute path", p.path)
		}
	}
	if c.Root == "" {
		wrong("root", "want the directory to keep everything in")
	}
	if c.API == "" && c.Socket == "" {
		wrong("api", "want an address, or a socket, or both")
	}
	if c.API != "" {
		if _, _, err := net.SplitHostPort(c.API); err != nil {
			wrong("api", "%q: want HOST:PORT, such as 127.0.0.1:8787", c.API)
		}
	}
	c.Ingress.validate(wrong)
	for _, host := range c.Images.TrustedHosts {
		if err := rimage.CheckTrustedHost(host); err != nil {
			wrong("images.trustedHosts", "%w", err)
		}
	}
	c.validateNames(wrong)
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls", "cert and key belong together")
	}
	if c.TLS.Cert != "" && c.TLS.Generate {
		wrong("tls", "give a certificate, or have one made with generate, not both")
	}
	if _, err := c.Services.idleTime(); err != nil {
		wrong("services.idleTime", "%q: want 1s to 15m", c.Services.IdleTime)
	}
	c.validateAmounts(wrong)
	return errors.Join(errs...)
}

// validateNames tells wrong what is wrong with who c says that this host is.
func (c Config) validateNames(wrong func(field, format string, args ...any)) {
	for _, name := range []struct {
		field, value string
		check        func(string) error
	}{
		{"project", c.Project, metadata.CheckName},
		{"projectNumber", c.ProjectNumber, metadata.CheckProjectNumber},
		{"region", c.Region, metadata.CheckName},
		{"serviceAccount", c.ServiceAccount, metadata.CheckAccount},
	} {
		if err := name.check(name.value); err != nil {
			wrong(name.field, "%q: %w", name.value, err)
		}
	}
}

// validateAmounts tells wrong what is wrong with the bounds in c.
func (c Config) validateAmounts(wrong func(field, format string, args ...any)) {
	if cpu, err := contract.ParseCPU(c.Capacity.CPU); c.Capacity.CPU != "" && (err != nil || cpu <= 0) {
		wrong("capacity.cpu", "%q: want a number of CPUs, such as 4", c.Capacity.CPU)
	}
	if memory, err := contract.ParseBytes(c.Capacity.Memory); c.Capacity.Memory != "" && (err != nil || memory <= 0) {
		wrong("capacity.memory", "%q: want a size, such as 16Gi", c.Capacity.Memory)
	}
	if c.Executions.Keep < 1 {
		wrong("executions.keep", "%d: want at least 1", c.Executions.Keep)
	}
	if c.Executions.Running < 1 {
		wrong("executions.running", "%d: want at least 1", c.Executions.Running)
	}
	c.Kf.validate(wrong)
	for _, size := range []struct{ field, value string }{
		{"logs.perInstance", c.Logs.PerInstance}, {"logs.total", c.Logs.Total},
	} {
		if n, err := contract.ParseBytes(size.value); err != nil || n < contract.MiB {
			wrong(size.field, "%q: want a size of at least 1Mi", size.value)
		}
	}
}

// validate tells wrong what is wrong with c.
func (c IngressConfig) validate(wrong func(field, format string, args ...any)) {
	for _, a := range []struct{ field, address string }{
		{"ingress.address", c.Address}, {"ingress.tlsAddress", c.TLSAddress},
	} {
		if _, _, err := net.SplitHostPort(a.address); a.address != "" && err != nil {
			wrong(a.field, "%q: want HOST:PORT, such as :8080", a.address)
		}
	}
	if !isHost(c.Domain) {
		wrong("ingress.domain", "%q: want a domain in lower case, such as run.localhost", c.Domain)
	}
	for _, host := range slices.Sorted(maps.Keys(c.Domains)) {
		if !isHost(strings.TrimPrefix(host, "*.")) {
			wrong("ingress.domains", "%q: want a host in lower case, such as www.example.com", host)
		}
		if c.Domains[host] == "" {
			wrong("ingress.domains", "%s: want the name of a service", host)
		}
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("ingress.tls", "cert and key belong together")
	}
	if c.TLS.Cert != "" && c.TLS.ACME.Accept {
		wrong("ingress.tls", "give a certificate, or have them got with acme, not both")
	}
	if a := c.TLS.ACME; !a.Accept && (a.Email != "" || a.Directory != "") {
		wrong("ingress.tls.acme.accept", "want true, which agrees with the authority's terms of service")
	}
	for _, p := range []struct{ field, path string }{{"ingress.tls.cert", c.TLS.Cert}, {"ingress.tls.key", c.TLS.Key}} {
		if p.path != "" && !filepath.IsAbs(p.path) {
			wrong(p.field, "%q: want an absolute path", p.path)
		}
	}
}

// validate tells wrong what is wrong with c.
func (c KfConfig) validate(wrong func(field, format string, args ...any)) {
	if c.KeepTasks < 1 {
		wrong("kf.keepTasks", "%d: want at least 1", c.KeepTasks)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || contract.ReservedEnv(name) {
			wrong("kf.env", "%q: want the name of a variable that the platform does not set", name)
		}
		if strings.Contains(c.Env[name], "\x00") {
			wrong("kf.env", "%s: holds a zero byte, which no variable can", name)
		}
	}
}

// isHost reports whether s is the name of a host.
func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !contract.IsLabel(label) {
			return false
		}
	}
	return len(s) <= 253
}
