package image

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// schema1 is Docker's first manifest format: no configuration blob and no
// sizes, the layers newest first, each with its own piece of configuration.
// Source: Docker image manifest version 2, schema 1.
type schema1 struct {
	Architecture string `json:"architecture"`
	FSLayers     []struct {
		BlobSum string `json:"blobSum"`
	} `json:"fsLayers"`
	History []struct {
		V1Compatibility string `json:"v1Compatibility"`
	} `json:"history"`
	Signatures []struct {
		Protected string `json:"protected"`
	} `json:"signatures"`
}

// schema1History is what a v1Compatibility string holds.
type schema1History struct {
	platform
	Config imageConfig `json:"config"`
	// ThrowAway marks a step that changed no file: its blob is an empty tar.
	ThrowAway bool `json:"throwaway"`
}

// readSchema1 gives the configuration of the newest step, and the layers bottom
// to top.
func readSchema1(raw []byte) (Config, []layer, error) {
	var m schema1
	if err := json.Unmarshal(raw, &m); err != nil {
		return Config{}, nil, fmt.Errorf("%w: schema 1: %s", ErrInvalidManifest, oneLine(err.Error()))
	}
	switch {
	case len(m.FSLayers) == 0 || len(m.FSLayers) != len(m.History):
		return Config{}, nil, fmt.Errorf("%w: schema 1: %d layers, %d history entries",
			ErrInvalidManifest, len(m.FSLayers), len(m.History))
	case len(m.FSLayers) > maxLayers:
		return Config{}, nil, fmt.Errorf("%w: %d layers, overlayfs stacks %d", ErrTooLarge, len(m.FSLayers), maxLayers)
	}
	var newest schema1History
	var layers []layer
	for i, h := range slices.Backward(m.History) {
		newest = schema1History{}
		if err := json.Unmarshal([]byte(h.V1Compatibility), &newest); err != nil {
			return Config{}, nil, fmt.Errorf("%w: schema 1: history %d: %s", ErrInvalidManifest, i, oneLine(err.Error()))
		}
		d, err := parseDigest(m.FSLayers[i].BlobSum)
		if err != nil {
			return Config{}, nil, fmt.Errorf("%w: schema 1: layer %d: %v", ErrInvalidManifest, i, err)
		}
		if !newest.ThrowAway {
			layers = append(layers, layer{digest: d, size: -1, desc: descriptor{Digest: string(d), Size: -1}})
		}
	}
	if newest.Architecture == "" {
		newest.Architecture = m.Architecture
	}
	return newest.Config.export(), layers, newest.platform.check()
}

// unsigned is a document without its signatures, as it was before they were put
// into it. That is what its digest covers, so nothing of what stands around it
// may be used. Every signature says how to get it back and all must agree. The
// signatures themselves prove nothing (their keys come with them) and are not
// checked; the digest is what binds.
func unsigned(doc document) (document, error) {
	var m schema1
	if err := json.Unmarshal(doc.raw, &m); err != nil {
		return doc, fmt.Errorf("%w: schema 1: %s", ErrInvalidManifest, oneLine(err.Error()))
	}
	payload := doc.raw
	for i, s := range m.Signatures {
		p, err := schema1Payload(doc.raw, s.Protected)
		if err != nil {
			return doc, fmt.Errorf("%w: schema 1: signature %d: %s", ErrInvalidManifest, i, oneLine(err.Error()))
		}
		if i > 0 && !bytes.Equal(p, payload) {
			return doc, fmt.Errorf("%w: schema 1: its signatures cover different payloads", ErrInvalidManifest)
		}
		payload = p
	}
	return document{raw: payload, mediaType: doc.mediaType}, nil
}

// schema1Payload undoes what one signature says that signing did.
func schema1Payload(raw []byte, protected string) ([]byte, error) {
	header, err := base64.RawURLEncoding.DecodeString(protected)
	if err != nil {
		return nil, err
	}
	var format struct {
		Length int    `json:"formatLength"`
		Tail   string `json:"formatTail"`
	}
	if err := json.Unmarshal(header, &format); err != nil {
		return nil, err
	}
	tail, err := base64.RawURLEncoding.DecodeString(format.Tail)
	if err != nil {
		return nil, err
	}
	if format.Length < 0 || format.Length > len(raw) {
		return nil, fmt.Errorf("payload of %d bytes in a document of %d", format.Length, len(raw))
	}
	return slices.Concat(raw[:format.Length], tail), nil
}
