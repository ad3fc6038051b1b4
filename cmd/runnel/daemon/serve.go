package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"

	"runnel/api/gcloud"
	"runnel/api/source"
	v1 "runnel/api/v1"
	"runnel/api/wire"
	"runnel/certs"
	"runnel/logs"
	"runnel/metadata"
)

// tokenName is the file under the root that holds the token of callers over
// TCP.
const tokenName = "api-token"

// tlsName is the directory under the root of a generated certificate.
const tlsName = "tls"

// openServer makes what answers callers.
func (d *Daemon) openServer(context.Context) (err error) {
	d.token, err = wire.LoadOrCreateToken(filepath.Join(d.root.Dir, tokenName))
	if err != nil {
		return fmt.Errorf("cannot make the API's token: %w", err)
	}
	cfg := wire.Config{
		Control:  d.control,
		Token:    d.token,
		V1:       v1.NewHandler(d.control),
		Handlers: d.handlers(),
		Open:     []string{metadata.KeySetPath},
		Streamed: []string{source.Path},
		Logger:   d.log,
	}
	switch t := d.cfg.TLS; {
	case t.Cert != "":
		cfg.TLS, err = certs.Load(t.Cert, t.Key)
	case t.Generate:
		cfg.TLS, err = certs.LoadOrCreate(filepath.Join(d.root.Dir, tlsName), d.hosts())
	}
	if err != nil {
		return fmt.Errorf("cannot set up TLS: %w", err)
	}
	d.server = wire.New(cfg)
	return nil
}

// hosts are the names a generated certificate is for: gcloud puts the region
// before the host's.
func (d *Daemon) hosts() []string {
	return append([]string{d.cfg.Region + "-localhost"}, d.cfg.TLS.Hosts...)
}

// handlers answer what is not the API's own.
func (d *Daemon) handlers() map[string]http.Handler {
	return map[string]http.Handler{
		"GET " + SettingsPath: http.HandlerFunc(d.settings),
		"GET " + TokenPath:    http.HandlerFunc(d.giveToken),
		"GET " + CAPath:       http.HandlerFunc(d.giveCA),
		"GET " + IdentityPath: http.HandlerFunc(d.giveIdentity),
		gcloud.Path:           gcloud.NewHandler(d.control),

		"GET " + metadata.KeySetPath: d.machine.Signer.KeySet(),
		"GET " + logs.StreamPath:     d.logs.Stream(),
		"POST " + logs.ListPath:      d.logs.List(),
		"POST " + source.Path:        source.NewHandler(d.control),
	}
}

// Serve answers callers until ctx ends, then lets those finish that are being
// answered.
func (d *Daemon) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var serving sync.WaitGroup
	errs := make(chan error, len(d.listeners)+len(d.doors))
	for _, o := range d.doors {
		d.log.Info("taking requests for services", "address", o.listener.Addr().String(), "tls", o.tls != nil)
		serving.Go(func() {
			if err := d.serveIngress(o); err != nil {
				errs <- fmt.Errorf("cannot take requests on %s: %w", o.listener.Addr(), err)
				stop()
			}
		})
	}
	for _, l := range d.listeners {
		d.log.Info("listening", "address", l.Addr().String())
		serving.Go(func() {
			if err := d.server.Serve(l); err != nil {
				errs <- fmt.Errorf("cannot serve on %s: %w", l.Addr(), err)
				stop()
			}
		})
	}
	notify("READY=1")
	<-ctx.Done()
	notify("STOPPING=1")
	d.log.Info("stopping")
	err := d.shutDown(context.WithoutCancel(ctx))
	serving.Wait()
	close(errs)
	for failure := range errs {
		err = errors.Join(err, failure)
	}
	return err
}

// shutDown takes no more callers and requests, and returns when those that there
// are have been answered. Who takes longer than shutdownTime is cut off. New
// connections wait in the queue of the listeners that the shim keeps.
func (d *Daemon) shutDown(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	var ending sync.WaitGroup
	var requests error
	ending.Go(func() { requests = d.requests.Shutdown(limit) })
	err := d.server.Shutdown(limit)
	ending.Wait()
	return errors.Join(unlessCutOff(err), unlessCutOff(requests))
}

// unlessCutOff is err, unless all that it says is that somebody took too long.
func unlessCutOff(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Close takes the daemon down. Instances go on, unless it is ephemeral.
func (d *Daemon) Close() error { return d.steps.Run() }
