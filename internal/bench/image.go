package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"
)

// image is a list of layers, and what is run where nothing is said.
type image struct {
	layers  []layer
	command string
}

// layer is a gzipped tar and what is known of it.
type layer struct {
	blob     []byte
	diffID   string
	unpacked int64
	files    int
}

// imageSize is what a table says of an image.
type imageSize struct {
	packed, unpacked int64
	layers, files    int
}

func (m *image) size() imageSize {
	s := imageSize{layers: len(m.layers)}
	for _, l := range m.layers {
		s.packed += int64(len(l.blob))
		s.unpacked += l.unpacked
		s.files += l.files
	}
	return s
}

func describe(s imageSize) string {
	return fmt.Sprintf("%d MB gzip (%d MB and %d files unpacked, %d layers)", s.packed/1e6, s.unpacked/1e6, s.files, s.layers)
}

// config is the image's configuration.
func (m *image) config() any {
	var ids []string
	for _, l := range m.layers {
		ids = append(ids, l.diffID)
	}
	return map[string]any{
		"architecture": "amd64", "os": "linux",
		"config": map[string]any{"Cmd": []string{cmp.Or(m.command, "/bin/true")}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	}
}

// layerWriter makes a layer.
type layerWriter struct {
	blob bytes.Buffer
	zip  *gzip.Writer
	sum  hash.Hash
	tar  *tar.Writer
	l    layer
}

func newLayerWriter() *layerWriter {
	w := &layerWriter{sum: sha256.New()}
	w.zip = gzip.NewWriter(&w.blob)
	w.tar = tar.NewWriter(io.MultiWriter(w.zip, w.sum))
	return w
}

// add appends a file, a directory or a symbolic link of the host as name.
func (w *layerWriter) add(name, path string, info fs.FileInfo) error {
	var link string
	var data []byte
	var err error
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		link, err = os.Readlink(path)
	case info.Mode().IsRegular():
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uname, h.Gname, h.Format = name, "", "", tar.FormatPAX
	h.Size = int64(len(data))
	if err := w.tar.WriteHeader(h); err != nil {
		return err
	}
	w.l.files++
	w.l.unpacked += int64(len(data))
	_, err = w.tar.Write(data)
	return err
}

func (w *layerWriter) finish() (layer, error) {
	if err := errors.Join(w.tar.Close(), w.zip.Close()); err != nil {
		return layer{}, err
	}
	w.l.blob = w.blob.Bytes()
	w.l.diffID = "sha256:" + hex.EncodeToString(w.sum.Sum(nil))
	return w.l, nil
}
