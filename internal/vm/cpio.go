package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"sort"
)

// writeInitramfs writes an uncompressed initial RAM file system: files maps a
// path in it, without the leading slash, to a file of the host. Directories are
// added as needed; every file may be executed.
func writeInitramfs(w io.Writer, files map[string]string) error {
	c := &cpioWriter{w: w}
	for _, dir := range parents(files) {
		c.entry(dir, modeDir|0o755, nil)
	}
	for _, name := range sortedKeys(files) {
		data, err := os.ReadFile(files[name])
		if err != nil {
			return err
		}
		c.entry(name, modeFile|0o755, data)
	}
	c.entry("TRAILER!!!", 0, nil)
	return c.err
}

// Types of a file, as in st_mode.
const (
	modeDir  = 0o040000
	modeFile = 0o100000
)

// cpioWriter writes the "newc" form of a cpio archive, the one the kernel
// reads: a header of fixed hexadecimal fields, the name, the data, each padded
// to four bytes.
// Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
type cpioWriter struct {
	w     io.Writer
	inode int
	n     int
	err   error
}

func (c *cpioWriter) entry(name string, mode int, data []byte) {
	c.inode++
	links := 1
	if mode&modeDir != 0 {
		links = 2
	}
	// Magic, then inode, mode, uid, gid, links, mtime, size, device major and
	// minor, special file's major and minor, length of the name, checksum.
	c.write(fmt.Appendf(nil, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name)+1, 0))
	c.write(append([]byte(name), 0))
	c.pad()
	c.write(data)
	c.pad()
}

func (c *cpioWriter) write(p []byte) {
	if c.err != nil {
		return
	}
	_, c.err = c.w.Write(p)
	c.n += len(p)
}

func (c *cpioWriter) pad() { c.write(make([]byte, (4-c.n%4)%4)) }

// parents lists the directories above files, each before what is in it.
func parents(files map[string]string) []string {
	dirs := map[string]string{}
	for name := range files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = ""
		}
	}
	return sortedKeys(dirs)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
