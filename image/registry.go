package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Patience with a registry.
const (
	// maxAttempts is how often a request is made that fails for a reason that
	// may pass.
	maxAttempts = 4
	// retryDelay is the wait before the second attempt; it doubles.
	retryDelay = 250 * time.Millisecond
	// maxRetryAfter is how long whoever refuses may ask us to wait before the next
	// attempt. Where more is asked for there is none.
	maxRetryAfter = time.Minute
)

// registry is the source of one repository. Names, credentials and the
// authorization dance are go-containerregistry's; requests are made here so
// that blobs are hashed once, bounded, and resumed.
type registry struct {
	ref     Reference
	network *network
	// session is the authorized client, made on first use.
	session func(ctx context.Context) (*http.Client, error)
}

func newRegistry(ref Reference, trusted []string) *registry {
	r := &registry{ref: ref, network: newNetwork(ref.Registry, trusted)}
	var mu sync.Mutex
	var client *http.Client // guarded by mu
	r.session = func(ctx context.Context) (*http.Client, error) {
		mu.Lock()
		defer mu.Unlock()
		if client != nil {
			return client, nil
		}
		c, err := r.logIn(ctx)
		client = c
		return c, err
	}
	return r
}

// logIn finds the credentials for the repository and learns how the registry
// wants them.
func (r *registry) logIn(ctx context.Context) (*http.Client, error) {
	var opts []name.Option
	if loopback(r.ref.Registry) {
		opts = append(opts, name.Insecure)
	}
	repo, err := name.NewRepository(r.ref.Registry+"/"+r.ref.Repository, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrReference, firstLine(err))
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		return nil, fmt.Errorf("%w: credentials for %s: %v", ErrUnauthorized, r.ref.Registry, err)
	}
	var authorized http.RoundTripper
	err = r.retry(ctx, func() error {
		authorized, err = transport.NewWithContext(ctx, repo.Registry, auth, r.network, []string{repo.Scope(transport.PullScope)})
		return err
	})
	if err != nil {
		return nil, r.explain(ctx, err)
	}
	return &http.Client{Transport: authorized}, nil
}

func (r *registry) root(ctx context.Context) (document, error) {
	id := r.ref.Digest
	if id == "" {
		id = r.ref.Tag
	}
	return r.getManifest(ctx, id)
}

func (r *registry) manifest(ctx context.Context, d descriptor) (document, error) {
	return r.getManifest(ctx, d.Digest)
}

func (r *registry) getManifest(ctx context.Context, id string) (document, error) {
	var doc document
	err := r.retry(ctx, func() error {
		resp, err := r.get(ctx, "manifests", id, http.Header{"Accept": {manifestAccept()}})
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }() // only read from
		doc.mediaType = resp.Header.Get("Content-Type")
		doc.raw, err = readAll(resp.Body, maxManifestBytes)
		return err
	})
	if err != nil {
		return document{}, r.explain(ctx, err)
	}
	return doc, nil
}

func (r *registry) blob(ctx context.Context, d descriptor) (io.ReadCloser, error) {
	b := &resumable{registry: r, desc: d}
	if err := b.open(ctx); err != nil {
		return nil, r.explain(ctx, err)
	}
	return b, nil
}

func (r *registry) close() error {
	r.network.close()
	return nil
}

// get makes one request. The response is 200 or 206.
func (r *registry) get(ctx context.Context, kind, id string, header http.Header) (*http.Response, error) {
	client, err := r.session(ctx)
	if err != nil {
		return nil, err
	}
	u := url.URL{
		Scheme: "https", Host: r.ref.Registry,
		Path: "/v2/" + r.ref.Repository + "/" + kind + "/" + id,
	}
	if loopback(r.ref.Registry) {
		u.Scheme = "http"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// retry repeats f while it fails for a reason that may pass.
func (r *registry) retry(ctx context.Context, f func() error) error {
	delay := retryDelay
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || attempt == maxAttempts || !transient(err) {
			return err
		}
		if werr := wait(ctx, max(delay, patienceFor(err))); werr != nil {
			return werr
		}
		delay *= 2
	}
}

// wait lets d pass, or ctx end.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// rangeFrom asks for a blob from offset on.
func rangeFrom(offset int64) http.Header {
	h := http.Header{}
	if offset > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	return h
}
