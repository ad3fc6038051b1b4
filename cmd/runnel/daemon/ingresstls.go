package daemon

import (
	"crypto/tls"
	"path/filepath"

	"runnel/certs"
)

// acmeName is the directory under the root of what a public authority has given.
const acmeName = "acme"

// ingressTLS is how the door for TLS proves the names of services: by the
// configured certificate, by certificates of a public authority, or by those of
// the root's own.
func (d *Daemon) ingressTLS() (*tls.Config, error) {
	t := d.cfg.Ingress.TLS
	switch {
	case t.Cert != "":
		return certs.Load(t.Cert, t.Key)
	case !t.ACME.Accept:
		return certs.OnDemand(filepath.Join(d.root.Dir, tlsName), d.requests.Knows)
	}
	a, err := certs.NewACME(certs.ACMEConfig{
		Dir:       filepath.Join(d.root.Dir, acmeName),
		Email:     t.ACME.Email,
		Directory: t.ACME.Directory,
		Address:   d.cfg.Ingress.TLSAddress,
		// Who makes up names below a wildcard must not use up what the authority
		// gives in a week.
		Allow: d.requests.Names,
	})
	if err != nil {
		return nil, err
	}
	d.steps.Push(a.Close)
	return a.TLS(), nil
}
