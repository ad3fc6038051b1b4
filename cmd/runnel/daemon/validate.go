package daemon

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"runnel/contract"
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
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls", "cert and key belong together")
	}
	if c.TLS.Cert != "" && c.TLS.Generate {
		wrong("tls", "give a certificate, or have one made with generate, not both")
	}
	if c.Executions.Keep < 1 {
		wrong("executions.keep", "%d: want at least 1", c.Executions.Keep)
	}
	if c.Executions.Running < 1 {
		wrong("executions.running", "%d: want at least 1", c.Executions.Running)
	}
	for _, size := range []struct{ field, value string }{
		{"logs.perInstance", c.Logs.PerInstance}, {"logs.total", c.Logs.Total},
	} {
		if n, err := contract.ParseBytes(size.value); err != nil || n < contract.MiB {
			wrong(size.field, "%q: want a size of at least 1Mi", size.value)
		}
	}
	return errors.Join(errs...)
}
