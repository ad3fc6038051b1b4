package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall"
)

// files gives access by name to the files of a local image, whether they lie in
// a directory or in a tar.
type files interface {
	// open gives a file's content and size. The caller closes it.
	open(name string) (io.ReadCloser, int64, error)
	close() error
}

// dir is a directory, out of which no name leads.
type dir struct{ root *os.Root }

func openDirectory(name string) (files, error) {
	root, err := os.OpenRoot(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: no directory %s", ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("image directory: %w", err)
	}
	return dir{root}, nil
}

func (d dir) open(name string) (io.ReadCloser, int64, error) {
	// The type is looked at first: opening a FIFO would wait for its writer.
	info, err := d.root.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("%w: %s has no %s", ErrNotFound, d.root.Name(), name)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %v", ErrInvalidManifest, err)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %v", ErrInvalidManifest, err)
	}
	return f, info.Size(), nil
}

func (d dir) close() error { return d.root.Close() }

// Bounds on the table of contents of an archive.
const (
	maxArchiveFiles = 100_000
	maxArchiveLinks = 8
)

// archive is an uncompressed tar. Its headers are read once; content is then
// read where it lies.
type archive struct {
	file    *os.File
	name    string // as messages have it
	members map[string]member
}

// member is a file of an archive: a piece of the tar, or a link to another name.
type member struct {
	offset, size int64
	link         string
}

func openArchive(path string) (files, error) { return openArchiveAs(path, path) }

// openArchiveAs is openArchive for a file that messages call by a name.
func openArchiveAs(path, name string) (files, error) {
	// Opening a FIFO would wait for its writer; sniff then sees what it is.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: no file %s", ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("image archive: %w", err)
	}
	a := &archive{file: f, name: name, members: map[string]member{}}
	if err := a.index(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return a, nil
}

func (a *archive) index() error {
	if err := a.sniff(); err != nil {
		return err
	}
	tr := tar.NewReader(a.file)
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: not a tar archive: %v", ErrInvalidManifest, unnamed(err))
		}
		if len(a.members) == maxArchiveFiles {
			return fmt.Errorf("%w: the archive has over %d members", ErrTooLarge, maxArchiveFiles)
		}
		name := path.Clean(hdr.Name)
		switch hdr.Typeflag {
		case tar.TypeReg:
			// The reader takes whole blocks and nothing ahead, so the file
			// stands at the first byte of the content.
			offset, err := a.file.Seek(0, io.SeekCurrent)
			if err != nil {
				return err
			}
			a.members[name] = member{offset: offset, size: hdr.Size}
		case tar.TypeSymlink:
			a.members[name] = member{link: path.Join(path.Dir(name), hdr.Linkname)}
		case tar.TypeLink:
			a.members[name] = member{link: path.Clean(hdr.Linkname)}
		}
	}
}

// sniff tells a compressed archive, which cannot be read in place, from one
// that is broken, and leaves what is no regular file alone.
func (a *archive) sniff() error {
	if info, err := a.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrInvalidManifest)
	}
	var magic [4]byte
	if n, _ := a.file.ReadAt(magic[:], 0); sniffCompression(magic[:n]) != compressionNone {
		return fmt.Errorf("%w: the archive is compressed: decompress it first", ErrInvalidManifest)
	}
	return nil
}

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	m, ok := a.members[path.Clean(name)]
	for hops := 0; ok && m.link != "" && hops < maxArchiveLinks; hops++ {
		m, ok = a.members[m.link]
	}
	if !ok || m.link != "" {
		return nil, 0, fmt.Errorf("%w: %s has no %s", ErrNotFound, a.name, oneLine(strings.ToValidUTF8(name, "?")))
	}
	return io.NopCloser(io.NewSectionReader(a.file, m.offset, m.size)), m.size, nil
}

func (a *archive) close() error { return a.file.Close() }

// unnamed is an error of a file without that file's name, which may be one that
// is nobody's to know.
func unnamed(err error) error {
	if wrong := (*os.PathError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", wrong.Op, wrong.Err)
	}
	return err
}
