package imagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Target is where to push: a registry that speaks plain HTTP and wants no
// credentials.
type Target struct {
	// Host is "127.0.0.1:5000", Repository "library/busybox", Tag "latest".
	Host, Repository, Tag string
}

// String is the target as a reference.
func (t Target) String() string { return t.Host + "/" + t.Repository + ":" + t.Tag }

// ParseTarget takes "host:port/repository[:tag]" apart.
func ParseTarget(ref string) (Target, error) {
	host, rest, ok := strings.Cut(ref, "/")
	if !ok {
		return Target{}, fmt.Errorf("%q names no registry", ref)
	}
	repo, tag, tagged := strings.Cut(rest, ":")
	if !tagged {
		tag = "latest"
	}
	return Target{host, repo, tag}, nil
}

// Push builds the image in a temporary directory and pushes it.
func (b Build) Push(ctx context.Context, ref string) (a *Artifact, err error) {
	dir, err := os.MkdirTemp("", "imagetest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if a, err = b.Write(dir); err != nil {
		return nil, err
	}
	return a, a.Push(ctx, ref)
}

// Push sends the artifact's blobs and its manifest. An index's children must
// have been pushed to the same repository, by whatever tag.
func (a *Artifact) Push(ctx context.Context, ref string) error {
	t, err := ParseTarget(ref)
	if err != nil {
		return err
	}
	blobs := a.Manifest.Layers
	if a.Manifest.Config != nil {
		blobs = append(blobs[:len(blobs):len(blobs)], *a.Manifest.Config)
	}
	for _, d := range blobs {
		if err := t.pushBlob(ctx, a.Dir, d.Digest); err != nil {
			return err
		}
	}
	raw, err := os.ReadFile(blobPath(a.Dir, a.Descriptor.Digest))
	if err != nil {
		return err
	}
	return t.PushManifest(ctx, raw, a.Descriptor.MediaType)
}

// PushManifest stores any bytes under the target's tag.
func (t Target) PushManifest(ctx context.Context, raw []byte, mediaType string) error {
	u := url.URL{Scheme: "http", Host: t.Host, Path: "/v2/" + t.Repository + "/manifests/" + t.Tag}
	_, err := send(ctx, http.MethodPut, u.String(), mediaType, bytes.NewReader(raw), int64(len(raw)))
	return err
}

// PushBlob stores bytes under their digest, which it gives.
func (t Target) PushBlob(ctx context.Context, raw []byte) (digest string, err error) {
	dir, err := os.MkdirTemp("", "imagetest-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.MkdirAll(dir+"/blobs/sha256", 0o700); err != nil {
		return "", err
	}
	d, err := AddBlob(dir, raw)
	if err != nil {
		return "", err
	}
	return d.Digest, t.pushBlob(ctx, dir, d.Digest)
}

func (t Target) pushBlob(ctx context.Context, dir, digest string) error {
	f, err := os.Open(blobPath(dir, digest))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return err
	}
	base := url.URL{Scheme: "http", Host: t.Host, Path: "/v2/" + t.Repository + "/blobs/uploads/"}
	resp, err := send(ctx, http.MethodPost, base.String(), "", http.NoBody, 0)
	if err != nil {
		return err
	}
	location, err := base.Parse(resp.Header.Get("Location"))
	if err != nil {
		return err
	}
	query := location.Query()
	query.Set("digest", digest)
	location.RawQuery = query.Encode()
	_, err = send(ctx, http.MethodPut, location.String(), "application/octet-stream", f, info.Size())
	return err
}

// send makes a request whose answer is all in its status and headers.
func send(ctx context.Context, method, url, contentType string, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = size
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, bytes.TrimSpace(said))
	}
	return resp, nil
}
