package imagetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Schema1Step is one step of a schema 1 image's history, bottom first.
type Schema1Step struct {
	// Layer is the tar, uncompressed; nil for a step that changed no file.
	Layer *Layer
	// V1 is the step's v1Compatibility; an empty one is made up.
	V1 string
}

// PushSchema1 pushes an image in Docker's first manifest format, wrapped in a
// signature that proves nothing, and gives the digest of its payload.
func PushSchema1(ctx context.Context, ref string, steps []Schema1Step) (digest string, err error) {
	t, err := ParseTarget(ref)
	if err != nil {
		return "", err
	}
	payload, err := schema1Payload(ctx, t, steps)
	if err != nil {
		return "", err
	}
	// The signature goes in before the closing brace; its header says how to
	// undo that.
	cut := len(payload) - 2
	header, err := json.Marshal(map[string]any{
		"formatLength": cut, "formatTail": base64.RawURLEncoding.EncodeToString(payload[cut:]),
	})
	if err != nil {
		return "", err
	}
	signed := fmt.Appendf(nil, "%s,\n   \"signatures\": [{\"header\": {\"alg\": \"ES256\"}, \"signature\": \"AA\", \"protected\": %q}]\n}",
		payload[:cut], base64.RawURLEncoding.EncodeToString(header))
	err = t.PushManifest(ctx, signed, "application/vnd.docker.distribution.manifest.v1+prettyjws")
	return digestOf(payload), err
}

func schema1Payload(ctx context.Context, t Target, steps []Schema1Step) ([]byte, error) {
	type blobSum struct {
		BlobSum string `json:"blobSum"`
	}
	type history struct {
		V1 string `json:"v1Compatibility"`
	}
	var layers []blobSum
	var histories []history
	for i := len(steps) - 1; i >= 0; i-- {
		l := Layer{}
		v1 := steps[i].V1
		if steps[i].Layer != nil {
			l = *steps[i].Layer
		} else if v1 == "" {
			v1 = `{"throwaway":true}`
		}
		if v1 == "" {
			v1 = `{"os":"linux"}`
		}
		var tarred bytes.Buffer
		if err := l.Tar(&tarred); err != nil {
			return nil, err
		}
		blob, err := Gzip.Compress(tarred.Bytes())
		if err != nil {
			return nil, err
		}
		sum, err := t.PushBlob(ctx, blob)
		if err != nil {
			return nil, err
		}
		layers = append(layers, blobSum{sum})
		histories = append(histories, history{v1})
	}
	return json.MarshalIndent(map[string]any{
		"schemaVersion": 1, "name": t.Repository, "tag": t.Tag, "architecture": "amd64",
		"fsLayers": layers, "history": histories,
	}, "", "   ")
}
