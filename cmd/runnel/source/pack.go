package source

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
)

// whiteoutPrefix begins names that mean the absence of a file in a layer.
// Source: OCI image-spec v1.1, "Whiteouts".
const whiteoutPrefix = ".wh."

// pack writes a directory as the tar of a layer in which it is
// contract.SourceDir, without what is ignored. The same files with the same modes
// make the same bytes, whoever owns them and whenever they were changed. Symbolic
// links stay links; what is neither file, directory nor link is an error.
func pack(ctx context.Context, w io.Writer, dir string, ignored *ignored) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", dir, cli.Bare(err))
	}
	p := &packer{dir: root, ignored: ignored, tar: tar.NewWriter(w)}
	// In the order of their names, so that the order is always the same.
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return p.visit(name, entry, err)
	})
	if err != nil {
		return err
	}
	return p.tar.Close()
}

// packer is a directory being packed.
type packer struct {
	dir     string
	ignored *ignored
	tar     *tar.Writer
}

// visit packs one file, directory or link.
func (p *packer) visit(name string, entry fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, cli.Bare(err))
	}
	rel, err := filepath.Rel(p.dir, name)
	if err != nil {
		return err
	}
	if rel == "." {
		return p.directory(name, rel)
	}
	switch skip, whole := p.ignored.skips(rel, entry.IsDir()); {
	case skip && whole:
		return fs.SkipDir
	case skip:
		return nil
	}
	if strings.HasPrefix(entry.Name(), whiteoutPrefix) {
		return fmt.Errorf("%s: a name that begins with %s means in an image that a file is gone: rename it", name, whiteoutPrefix)
	}
	switch kind := entry.Type(); {
	case kind.IsDir():
		return p.directory(name, rel)
	case kind.IsRegular():
		return p.file(name, rel)
	case kind&fs.ModeSymlink != 0:
		return p.link(name, rel)
	default:
		return fmt.Errorf("%s is a %s: only files, directories and symbolic links can be deployed; remove it, or name it in %s", name, kindOf(kind), gcloudIgnore)
	}
}

// kindOf is a kind of file in words.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// directory packs a directory itself.
func (p *packer) directory(name, rel string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, cli.Bare(err))
	}
	h := header(tar.TypeDir, rel, info.Mode())
	h.Name += "/"
	return p.tar.WriteHeader(h)
}

// link packs a symbolic link.
func (p *packer) link(name, rel string) error {
	target, err := os.Readlink(name)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, cli.Bare(err))
	}
	h := header(tar.TypeSymlink, rel, fs.ModePerm)
	h.Linkname = target
	return p.tar.WriteHeader(h)
}

// file packs a file as it is once it is open.
func (p *packer) file(name, rel string) (err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, cli.Bare(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", name, cli.Bare(err))
	}
	h := header(tar.TypeReg, rel, info.Mode())
	h.Size = info.Size()
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(p.tar, io.LimitReader(f, h.Size))
	if err == nil && n < h.Size {
		return fmt.Errorf("%s became shorter while it was read: try again", name)
	}
	return err
}

// header is an entry: root's, of no time, with its mode.
func header(kind byte, rel string, mode fs.FileMode) *tar.Header {
	h := &tar.Header{
		Typeflag: kind, Format: tar.FormatPAX, ModTime: contract.SourceTime(),
		Name: path.Join(strings.TrimPrefix(contract.SourceDir, "/"), filepath.ToSlash(rel)),
		Mode: int64(mode.Perm()),
	}
	for bit, flag := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			h.Mode |= flag
		}
	}
	return h
}
