package imagetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how a layer is stored.
type Compression int

// The compressions.
const (
	Gzip Compression = iota
	Zstd
	None
)

// Entry is one entry of a layer: a tar header, whose size is taken from Body.
type Entry struct {
	tar.Header
	Body []byte
}

// File is a regular file.
func File(name, body string, mode int64) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, Body: []byte(body)}
}

// Dir is a directory.
func Dir(name string, mode int64) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}}
}

// Symlink is a symbolic link to target.
func Symlink(name, target string) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}}
}

// Link is a hard link to target.
func Link(name, target string) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}}
}

// Layer is one of three: entries, a directory tree, or a tar that is there.
type Layer struct {
	Entries []Entry
	// Tree is a directory whose contents become the layer, with owners, modes,
	// times, hard links and symbolic links; sockets are left out.
	Tree string
	// Raw is written as it is.
	Raw []byte
}

// fixedTime is that of entries without one, so that builds repeat.
func fixedTime() time.Time { return time.Unix(1_700_000_000, 0) }

// Tar writes the layer uncompressed.
func (l Layer) Tar(w io.Writer) error {
	if l.Raw != nil {
		_, err := w.Write(l.Raw)
		return err
	}
	tw := tar.NewWriter(w)
	if l.Tree != "" {
		if err := writeTree(tw, l.Tree); err != nil {
			return err
		}
	}
	for _, e := range l.Entries {
		hdr := e.Header
		if hdr.Size == 0 {
			hdr.Size = int64(len(e.Body))
		}
		if hdr.ModTime.IsZero() {
			hdr.ModTime = fixedTime()
		}
		if err := tw.WriteHeader(&hdr); err != nil {
			return err
		}
		if _, err := tw.Write(e.Body); err != nil {
			return err
		}
	}
	return tw.Close()
}

// write stores the layer's blob in a layout directory, streaming.
func (l Layer) write(dir string, c Compression) (desc Descriptor, diffID string, err error) {
	tmp, err := os.CreateTemp(dir, "layer-")
	if err != nil {
		return Descriptor{}, "", err
	}
	defer func() {
		if rerr := os.Remove(tmp.Name()); !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	blob, plain := sha256.New(), sha256.New()
	z, err := c.writer(io.MultiWriter(tmp, blob))
	if err != nil {
		return Descriptor{}, "", err
	}
	err = errors.Join(l.Tar(io.MultiWriter(z, plain)), z.Close())
	size, serr := tmp.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, serr, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return Descriptor{}, "", err
	}
	desc = Descriptor{Digest: name(blob), Size: size}
	return desc, name(plain), os.Rename(tmp.Name(), blobPath(dir, desc.Digest))
}

func name(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

// writer compresses into w.
func (c Compression) writer(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	case None:
		return nopCloser{w}, nil
	}
	return gzip.NewWriter(w), nil
}

type nopCloser struct{ io.Writer }

// Close has nothing to do.
func (nopCloser) Close() error { return nil }

// Compress is a compressed copy of b.
func (c Compression) Compress(b []byte) ([]byte, error) {
	var f bytes.Buffer
	z, err := c.writer(&f)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(b)
	err = errors.Join(err, z.Close())
	return f.Bytes(), err
}

// writeTree walks a directory in lexical order.
func writeTree(tw *tar.Writer, root string) error {
	seen := map[inode]string{}
	return filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || info.Mode()&os.ModeSocket != 0 {
			return err
		}
		return writeFile(tw, path, rel, info, seen)
	})
}

func writeFile(tw *tar.Writer, path, rel string, info os.FileInfo, seen map[inode]string) error {
	target := ""
	if info.Mode()&os.ModeSymlink != 0 {
		var err error
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	hdr, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	// Names of users on this machine mean nothing in an image.
	hdr.Name, hdr.Uname, hdr.Gname = filepath.ToSlash(rel), "", ""
	if info.IsDir() {
		hdr.Name += "/"
	}
	if first, ok := firstName(info, hdr.Name, seen); !ok {
		hdr.Typeflag, hdr.Linkname, hdr.Size = tar.TypeLink, first, 0
	}
	if err := tw.WriteHeader(hdr); err != nil || hdr.Typeflag != tar.TypeReg {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return errors.Join(err, f.Close())
}
