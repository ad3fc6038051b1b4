package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// Media types of what is pushed.
const (
	typeManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeConfig   = "application/vnd.docker.container.image.v1+json"
	typeLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// registry is Debian's docker-registry on loopback.
type registry struct {
	address string
	process *exec.Cmd
	// sizes are those of the pushed images.
	sizes map[string]imageSize
}

// startRegistry starts a registry that stores under dir. The caller must close
// it.
func startRegistry(ctx context.Context, dir string) (*registry, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n",
		filepath.Join(dir, "data"), address)
	if err := write(file, text); err != nil {
		return nil, err
	}
	r := &registry{address: address, process: exec.Command("docker-registry", "serve", file), sizes: map[string]imageSize{}}
	if err := r.process.Start(); err != nil {
		return nil, err
	}
	err = until(ctx, func() bool {
		resp, err := http.Get("http://" + address + "/v2/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *registry) ref(name string) string { return r.address + "/" + name + ":latest" }

func (r *registry) close() error {
	_ = r.process.Process.Kill() // it may have ended by itself
	_ = r.process.Wait()         // killed
	return nil
}

// descriptor is how a manifest names a blob.
type descriptor struct {
	MediaType string `json:"mediaType"`
	Size      int    `json:"size"`
	Digest    string `json:"digest"`
}

// push uploads an image under name.
func (r *registry) push(ctx context.Context, name string, m *image) error {
	config, err := json.Marshal(m.config())
	if err != nil {
		return err
	}
	manifest := struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}{SchemaVersion: 2, MediaType: typeManifest}
	if manifest.Config, err = r.upload(ctx, name, typeConfig, config); err != nil {
		return err
	}
	for _, l := range m.layers {
		d, err := r.upload(ctx, name, typeLayer, l.blob)
		if err != nil {
			return err
		}
		manifest.Layers = append(manifest.Layers, d)
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	r.sizes[name] = m.size()
	_, err = r.call(ctx, http.MethodPut, "/v2/"+name+"/manifests/latest", typeManifest, raw)
	return err
}

// upload stores one blob in one piece.
func (r *registry) upload(ctx context.Context, name, mediaType string, blob []byte) (descriptor, error) {
	sum := sha256.Sum256(blob)
	d := descriptor{MediaType: mediaType, Size: len(blob), Digest: "sha256:" + hex.EncodeToString(sum[:])}
	where, err := r.call(ctx, http.MethodPost, "/v2/"+name+"/blobs/uploads/", "", nil)
	if err != nil {
		return d, err
	}
	at, err := url.Parse(where)
	if err != nil {
		return d, err
	}
	query := at.Query()
	query.Set("digest", d.Digest)
	_, err = r.call(ctx, http.MethodPut, at.Path+"?"+query.Encode(), "application/octet-stream", blob)
	return d, err
}

// call makes one request and returns the Location of the answer.
func (r *registry) call(ctx context.Context, method, path, contentType string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.address+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // the status says enough without it
		return "", fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return resp.Header.Get("Location"), nil
}
