package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
)

// room is plenty for what tests unpack.
func room() limits {
	return limits{bytes: 1 << 30, room: 1 << 30, entries: 10_000}
}

// unpackInto unpacks a stream into root, a new directory.
func unpackInto(ctx context.Context, t testing.TB, root string, r io.Reader, lim limits) error {
	t.Helper()
	trash := t.TempDir()
	must(t, os.Mkdir(root, 0o755))
	must(t, os.Chmod(root, 0o755))
	return unpack(ctx, root, trash, r, lim)
}

// unpackEntries unpacks a layer and describes the result.
func unpackEntries(t testing.TB, entries ...imagetest.Entry) (map[string]string, error) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	err := unpackInto(t.Context(), t, root, tarOf(t, entries...), room())
	return tree(t, root), err
}

func tarOf(t testing.TB, entries ...imagetest.Entry) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	must(t, entriesLayer(entries...).Tar(&b))
	return &b
}

func with(e imagetest.Entry, change func(*tar.Header)) imagetest.Entry {
	change(&e.Header)
	return e
}

func xattr(e imagetest.Entry, name, value string) imagetest.Entry {
	return with(e, func(h *tar.Header) {
		h.PAXRecords = maps.Clone(h.PAXRecords)
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords["SCHILY.xattr."+name] = value
	})
}

func device(name string, typ byte, major, minor int64) imagetest.Entry {
	return imagetest.Entry{Header: tar.Header{Typeflag: typ, Name: name, Mode: 0o666, Devmajor: major, Devminor: minor}}
}

// The capability cap_net_raw+ep as the kernel stores it.
const netRaw = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// Differential: what GNU tar makes of the same stream.
func TestUnpackEqualsTar(t *testing.T) {
	privileged(t)
	old := time.Unix(1_000_000_000, 123_000_000)
	aged := func(e imagetest.Entry) imagetest.Entry {
		return with(e, func(h *tar.Header) { h.ModTime, h.Format = old, tar.FormatPAX })
	}
	owned := func(e imagetest.Entry, uid, gid int) imagetest.Entry {
		return with(e, func(h *tar.Header) { h.Uid, h.Gid = uid, gid })
	}
	deep := strings.Repeat("d/", 60)
	entries := []imagetest.Entry{
		owned(aged(imagetest.Dir("./", 0o711)), 3, 4),
		aged(imagetest.Dir("usr/", 0o755)), aged(imagetest.Dir("usr/bin/", 0o755)),
		aged(imagetest.File("usr/bin/su", "binary", 0o4755)),
		owned(aged(imagetest.File("usr/bin/wall", "binary", 0o2755)), 0, 5),
		imagetest.File("usr/bin/empty", "", 0o644),
		aged(imagetest.Dir("group/", 0o2775)), imagetest.File("group/inside", "i", 0o644),
		owned(imagetest.Dir("home/", 0o700), 1000, 1000),
		owned(imagetest.File("home/file", "x", 0o600), 1000, 1000),
		owned(imagetest.File("home/big", "x", 0o600), 4_000_000_000, 4_000_000_001),
		imagetest.Link("home/link", "usr/bin/su"), aged(imagetest.Symlink("lib", "usr/lib")),
		aged(imagetest.Symlink("absolute", "/etc/passwd")), aged(imagetest.Symlink("up", "../../../etc")),
		owned(imagetest.Symlink("dangling", "nowhere"), 7, 8),
		aged(with(imagetest.File("fifo", "", 0o640), func(h *tar.Header) { h.Typeflag = tar.TypeFifo })),
		aged(imagetest.Dir(deep, 0o755)), imagetest.File(deep+"leaf", "leaf", 0o644),
		imagetest.File("ünïcødé/☃", "snow", 0o644), imagetest.File(strings.Repeat("n", 255), "", 0o644),
		xattr(imagetest.File("capable", "c", 0o755), "security.capability", netRaw),
		xattr(imagetest.File("noted", "n", 0o644), "user.note", "hello"),
		imagetest.File("zeros", strings.Repeat("\x00", 700<<10), 0o644),
		imagetest.File("mixed", strings.Repeat("\x00", 256<<10)+"x"+strings.Repeat("\x00", 512<<10), 0o644),
		imagetest.File("again", "first", 0o644), imagetest.File("again", "second", 0o600),
	}
	stream := tarOf(t, entries...).Bytes()
	want := filepath.Join(t.TempDir(), "tar")
	must(t, os.Mkdir(want, 0o755))
	cmd := exec.Command("tar", "-x", "-p", "--numeric-owner", "--same-owner", "--xattrs", "--xattrs-include=*", "-f", "-")
	cmd.Dir, cmd.Stdin = want, bytes.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	root := filepath.Join(t.TempDir(), "root")
	must(t, unpackInto(t.Context(), t, root, bytes.NewReader(stream), room()))
	wantTree := tree(t, want)
	gotTree := tree(t, root)
	// A directory that no entry names gets the time it is made.
	for name := range wantTree {
		if name == "ünïcødé" || strings.HasPrefix(deep, name+"/") && name+"/" != deep {
			delete(wantTree, name)
			delete(gotTree, name)
		}
	}
	sameTree(t, gotTree, wantTree)
}

func TestUnpackReplacesEarlierEntries(t *testing.T) {
	privileged(t)
	for name, c := range map[string]struct {
		entries []imagetest.Entry
		want    []string
		check   map[string]string // a path and how its description begins
	}{
		"directory by file": {
			[]imagetest.Entry{imagetest.File("a/b/c", "", 0o644), imagetest.File("a", "f", 0o644)},
			[]string{"a"}, map[string]string{"a": "-rw-r--r--"},
		},
		"file by directory": {
			[]imagetest.Entry{imagetest.File("a", "f", 0o644), imagetest.Dir("a/", 0o700), imagetest.File("a/b", "", 0o644)},
			[]string{"a", "a/b"}, map[string]string{"a": "drwx------"},
		},
		"symlink by directory": {
			[]imagetest.Entry{imagetest.Dir("real/", 0o755), imagetest.Symlink("a", "real"), imagetest.File("a/x", "", 0o644),
				imagetest.Dir("a/", 0o755), imagetest.File("a/b", "", 0o644)},
			[]string{"a", "a/b", "real", "real/x"}, nil,
		},
		"directory by symlink": {
			[]imagetest.Entry{imagetest.File("a/old", "", 0o644), imagetest.Dir("real/", 0o755), imagetest.Symlink("a", "real"),
				imagetest.File("a/new", "", 0o644)},
			[]string{"a", "real", "real/new"}, nil,
		},
		"hard link by hard link": {
			[]imagetest.Entry{imagetest.File("a", "1", 0o644), imagetest.File("b", "2", 0o644), imagetest.Link("c", "a"),
				imagetest.Link("c", "b"), imagetest.Link("b", "b")},
			[]string{"a", "b", "c"}, nil,
		},
		"directory twice": {
			[]imagetest.Entry{imagetest.File("a/b", "", 0o644), imagetest.Dir("a/", 0o711)},
			[]string{"a", "a/b"}, map[string]string{"a": "drwx--x--x 0:0 1700000000"},
		},
		"absolute and dotted names": {
			[]imagetest.Entry{imagetest.File("/a/./b", "", 0o644), imagetest.File("./a/../c", "", 0o644), imagetest.File("//d", "", 0o644)},
			[]string{"a", "a/b", "c", "d"}, nil,
		},
		"symlinks resolve inside": {
			[]imagetest.Entry{imagetest.Dir("etc/", 0o755), imagetest.Symlink("abs", "/etc"), imagetest.Symlink("rel", "../../../../etc"),
				imagetest.File("abs/one", "", 0o644), imagetest.File("rel/two", "", 0o644)},
			[]string{"abs", "etc", "etc/one", "etc/two", "rel"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := unpackEntries(t, c.entries...)
			must(t, err)
			for path, prefix := range c.check {
				if !strings.HasPrefix(got[path], prefix) {
					t.Errorf("%s: %q", path, got[path])
				}
			}
			if list := names(got); !slices.Equal(list, c.want) {
				t.Errorf("got %v, want %v", list, c.want)
			}
		})
	}
}

// contract: ATK-10
func TestUnpackWhiteouts(t *testing.T) {
	privileged(t)
	const gone, opaque = "Dc---------", `trusted.overlay.opaque="y"`
	for name, c := range map[string]struct {
		entries []imagetest.Entry
		want    map[string]string // what the description of each path contains
	}{
		"whiteout":                {[]imagetest.Entry{imagetest.File("d/.wh.x", "", 0)}, map[string]string{"d": "drwxr-xr-x", "d/x": gone}},
		"device form":             {[]imagetest.Entry{device("x", tar.TypeChar, 0, 0)}, map[string]string{"x": gone}},
		"twice":                   {[]imagetest.Entry{imagetest.File(".wh.x", "", 0), device("x", tar.TypeChar, 0, 0)}, map[string]string{"x": gone}},
		"opaque":                  {[]imagetest.Entry{imagetest.Dir("d/", 0o755), imagetest.File("d/.wh..wh..opq", "", 0), imagetest.File("d/a", "", 0o644)}, map[string]string{"d": opaque, "d/a": "-rw"}},
		"opaque after content":    {[]imagetest.Entry{imagetest.File("d/a", "", 0o644), imagetest.File("d/.wh..wh..opq", "", 0)}, map[string]string{"d": opaque, "d/a": "-rw"}},
		"whiteout, then file":     {[]imagetest.Entry{imagetest.File(".wh.x", "", 0), imagetest.File("x", "", 0o644)}, map[string]string{"x": "-rw"}},
		"file, then whiteout":     {[]imagetest.Entry{imagetest.File("x", "", 0o644), imagetest.File(".wh.x", "", 0)}, map[string]string{"x": "-rw"}},
		"whiteout, then dir":      {[]imagetest.Entry{imagetest.File(".wh.x", "", 0), imagetest.Dir("x/", 0o700)}, map[string]string{"x": opaque}},
		"whiteout, then inside":   {[]imagetest.Entry{imagetest.File(".wh.x", "", 0), imagetest.File("x/a", "", 0o644)}, map[string]string{"x": opaque, "x/a": "-rw"}},
		"dir, then whiteout":      {[]imagetest.Entry{imagetest.File("x/a", "", 0o644), imagetest.File(".wh.x", "", 0)}, map[string]string{"x": opaque, "x/a": "-rw"}},
		"whiteout, then symlink":  {[]imagetest.Entry{imagetest.File(".wh.x", "", 0), imagetest.Symlink("x", "/etc")}, map[string]string{"x": "Lrwxrwxrwx"}},
		"aufs bookkeeping":        {[]imagetest.Entry{imagetest.Dir(".wh..wh.plnk/", 0o700), imagetest.File(".wh..wh.plnk/1", "", 0), imagetest.File(".wh..wh.aufs", "", 0)}, nil},
		"through a symlink":       {[]imagetest.Entry{imagetest.Dir("etc/", 0o755), imagetest.Symlink("l", "/etc"), imagetest.File("l/.wh.x", "", 0)}, map[string]string{"etc": "drwx", "l": "L", "etc/x": gone}},
		"attributes are stripped": {[]imagetest.Entry{xattr(xattr(xattr(imagetest.Dir("d/", 0o755), "trusted.overlay.opaque", "y"), "trusted.overlay.redirect", "/x"), "user.overlay.opaque", "y")}, map[string]string{"d": "drwxr-xr-x 0:0 1700000000"}},
		"standard devices":        {[]imagetest.Entry{device("dev/null", tar.TypeChar, 1, 3), device("./dev/tty", tar.TypeChar, 5, 0)}, map[string]string{"dev": "drwx"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := unpackEntries(t, c.entries...)
			must(t, err)
			for path, part := range c.want {
				if !strings.Contains(got[path], part) || strings.Contains(got[path], "overlay") && part != opaque {
					t.Errorf("%s: %q", path, got[path])
				}
			}
			if list := names(got); !slices.Equal(list, slices.Sorted(maps.Keys(c.want))) {
				t.Errorf("got %v", list)
			}
		})
	}
}

// contract: ATK-9, ATK-11
// Each layer is unpacked beside a tree that it tries to reach; that tree must
// not change, whether the layer is refused or not.
func TestUnpackMaliciousLayers(t *testing.T) {
	privileged(t)
	sentinel := filepath.Join(t.TempDir(), "sentinel")
	up := strings.Repeat("../", 20)
	evil := func(name string) imagetest.Entry { return imagetest.File(name, "evil", 0o777) }
	for name, c := range map[string]struct {
		entries []imagetest.Entry
		ok      bool
	}{
		"dot dot":                      {[]imagetest.Entry{evil("../sentinel/file")}, false},
		"dot dot in the middle":        {[]imagetest.Entry{evil("a/../../sentinel/file")}, false},
		"many dot dot":                 {[]imagetest.Entry{evil(up + sentinel + "/file")}, false},
		"absolute dot dot":             {[]imagetest.Entry{evil("/../sentinel/file")}, false},
		"only dot dot":                 {[]imagetest.Entry{imagetest.Dir("..", 0o777)}, false},
		"absolute":                     {[]imagetest.Entry{evil(sentinel + "/file")}, true},
		"write through symlink":        {[]imagetest.Entry{imagetest.Symlink("l", sentinel), evil("l/file")}, false},
		"write through relative link":  {[]imagetest.Entry{imagetest.Symlink("l", "../sentinel"), evil("l/file")}, false},
		"write through link chain":     {[]imagetest.Entry{imagetest.Symlink("a", "b/.."), imagetest.Symlink("b", ".."), evil("a/sentinel/file")}, true},
		"write on symlink":             {[]imagetest.Entry{imagetest.Symlink("f", sentinel+"/file"), evil("f")}, true},
		"chmod through symlink":        {[]imagetest.Entry{imagetest.Symlink("d", sentinel), with(imagetest.Dir("d/", 0o777), func(h *tar.Header) { h.Uid = 7 })}, true},
		"symlink for the root":         {[]imagetest.Entry{imagetest.Symlink(".", sentinel), evil("file")}, false},
		"symlink for slash":            {[]imagetest.Entry{imagetest.Symlink("/", sentinel), evil("file")}, false},
		"file for the root":            {[]imagetest.Entry{evil(".")}, false},
		"hard link to the host":        {[]imagetest.Entry{imagetest.Link("h", sentinel+"/file"), evil("h")}, false},
		"hard link up":                 {[]imagetest.Entry{imagetest.Link("h", "../sentinel/file")}, false},
		"hard link through symlink":    {[]imagetest.Entry{imagetest.Symlink("l", sentinel), imagetest.Link("h", "l/file")}, false},
		"hard link to symlink":         {[]imagetest.Entry{imagetest.Symlink("l", sentinel+"/file"), imagetest.Link("h", "l"), evil("h")}, true},
		"hard link to a directory":     {[]imagetest.Entry{imagetest.Dir("d/", 0o755), imagetest.Link("h", "d")}, false},
		"hard link to the root":        {[]imagetest.Entry{imagetest.Link("h", ".")}, false},
		"proc":                         {[]imagetest.Entry{imagetest.Symlink("p", "/proc/self/root"), evil("p" + sentinel + "/file")}, false},
		"magic link":                   {[]imagetest.Entry{imagetest.Symlink("p", "/proc/self/fd/3"), evil("p/file")}, false},
		"whiteout of dot dot":          {[]imagetest.Entry{imagetest.File(".wh...", "", 0)}, false},
		"whiteout of dot":              {[]imagetest.Entry{imagetest.File(".wh..", "", 0)}, false},
		"whiteout of nothing":          {[]imagetest.Entry{imagetest.File("d/.wh.", "", 0)}, false},
		"whiteout outside":             {[]imagetest.Entry{imagetest.File("../sentinel/.wh.file", "", 0)}, false},
		"whiteout through symlink":     {[]imagetest.Entry{imagetest.Symlink("l", "../sentinel"), imagetest.File("l/.wh.file", "", 0)}, false},
		"opaque through symlink":       {[]imagetest.Entry{imagetest.Symlink("l", sentinel), imagetest.File("l/.wh..wh..opq", "", 0)}, false},
		"file in a whiteout":           {[]imagetest.Entry{evil(".wh.d/file")}, false},
		"block device":                 {[]imagetest.Entry{device("sda", tar.TypeBlock, 8, 0)}, false},
		"character device":             {[]imagetest.Entry{device("mem", tar.TypeChar, 1, 1)}, false},
		"memory called null":           {[]imagetest.Entry{device("dev/null", tar.TypeChar, 1, 1)}, false},
		"block device called null":     {[]imagetest.Entry{device("dev/null", tar.TypeBlock, 1, 3)}, false},
		"file as directory":            {[]imagetest.Entry{evil("a"), evil("a/b")}, false},
		"dangling parent":              {[]imagetest.Entry{imagetest.Symlink("a", "b"), evil("a/c")}, false},
		"symlink loop":                 {[]imagetest.Entry{imagetest.Symlink("a", "b"), imagetest.Symlink("b", "a"), evil("a/c")}, false},
		"component too long":           {[]imagetest.Entry{evil(strings.Repeat("n", 256))}, false},
		"path too long":                {[]imagetest.Entry{evil(strings.Repeat("d/", 3000) + "f")}, false},
		"attribute name too long":      {[]imagetest.Entry{xattr(evil("f"), "user."+strings.Repeat("n", 256), "v")}, false},
		"attribute value too long":     {[]imagetest.Entry{xattr(evil("f"), "user.v", strings.Repeat("v", 70000))}, false},
		"capability that is none":      {[]imagetest.Entry{xattr(evil("f"), "security.capability", "x")}, false},
		"other attributes are skipped": {[]imagetest.Entry{xattr(xattr(evil("f"), "security.selinux", "x"), "trusted.x", "y")}, true},
		"owner -1":                     {[]imagetest.Entry{with(evil("f"), func(h *tar.Header) { h.Uid = 4_294_967_295 })}, false},
		"unknown type":                 {[]imagetest.Entry{with(evil("f"), func(h *tar.Header) { h.Typeflag = 'V' })}, false},
		"replace a parent":             {[]imagetest.Entry{imagetest.Dir("d/", 0o755), evil("d/x"), imagetest.Symlink("d", sentinel), evil("d/file")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.RemoveAll(sentinel))
			must(t, os.Mkdir(sentinel, 0o750))
			must(t, os.WriteFile(sentinel+"/file", []byte("untouched"), 0o640))
			before := tree(t, sentinel)
			root := filepath.Join(filepath.Dir(sentinel), "root")
			defer func() { must(t, os.RemoveAll(root)) }()
			err := unpackInto(t.Context(), t, root, tarOf(t, c.entries...), room())
			if c.ok && err != nil || !c.ok && !errors.Is(err, ErrInvalidLayer) {
				t.Errorf("got %v", err)
			}
			if !c.ok && (!strings.Contains(err.Error(), "entry \"") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the error does not name the entry in one line: %v", err)
			}
			sameTree(t, tree(t, sentinel), before)
		})
	}
}

// contract: ATK-12
func TestUnpackBounds(t *testing.T) {
	privileged(t)
	many := make([]imagetest.Entry, 100)
	for i := range many {
		many[i] = imagetest.File(strings.Repeat("d/", i+1)+"f", "", 0o644)
	}
	for name, c := range map[string]struct {
		entries []imagetest.Entry
		lim     limits
		want    error
	}{
		"entries":             {many, limits{bytes: 1 << 30, room: 1 << 30, entries: 99}, ErrTooLarge},
		"implied directories": {many[90:], limits{bytes: 1 << 30, room: 1 << 30, entries: 50}, ErrTooLarge},
		"room": {[]imagetest.Entry{imagetest.File("f", strings.Repeat("x", 2000), 0o644)},
			limits{bytes: 1 << 30, room: 1000, entries: 10}, ErrNoSpace},
		"reserve": {[]imagetest.Entry{imagetest.File("f", strings.Repeat("x", diskCheckBytes+1), 0o644)},
			limits{bytes: 1 << 30, room: 1 << 30, entries: 10, reserve: 1 << 60}, ErrNoSpace},
	} {
		t.Run(name, func(t *testing.T) {
			err := unpackInto(t.Context(), t, filepath.Join(t.TempDir(), "root"), tarOf(t, c.entries...), c.lim)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// contract: ATK-12
// Names chained through symbolic links lead deeper than any path could say.
func TestUnpackBoundsDepth(t *testing.T) {
	privileged(t)
	var entries []imagetest.Entry
	base := ""
	for i := range 3 {
		long, link := base+strings.Repeat("d/", 700), fmt.Sprint("link", i)
		entries = append(entries, imagetest.Dir(long, 0o755), imagetest.Symlink(link, long))
		base = link + "/"
	}
	err := unpackInto(t.Context(), t, filepath.Join(t.TempDir(), "root"), tarOf(t, entries...), room())
	if !errors.Is(err, ErrInvalidLayer) || !errors.Is(err, unix.ENAMETOOLONG) || !strings.Contains(err.Error(), "link1/") {
		t.Errorf("2100 levels: %v", err)
	}
}

// Directories that no entry names take time as well.
func TestUnpackStopsBetweenDirectories(t *testing.T) {
	privileged(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	root := filepath.Join(t.TempDir(), "root")
	must(t, os.Mkdir(root, 0o755))
	fd, err := unix.Open(root, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	defer func() { must(t, unix.Close(fd)) }()
	u := &unpacker{dirs: newDirCache(fd), trash: fd, limits: room()}
	cancel()
	if _, err := u.parent(ctx, "a/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	must(t, u.dirs.flush())
}

// contract: ATK-12
// A tar that promises a terabyte in a few bytes is refused by its promise.
func TestUnpackSparseBomb(t *testing.T) {
	privileged(t)
	e := with(imagetest.File("bomb", "", 0o644), func(h *tar.Header) { h.Size = 1 << 40 })
	var b bytes.Buffer
	must(t, tar.NewWriter(&b).WriteHeader(&e.Header))
	err := unpackInto(t.Context(), t, filepath.Join(t.TempDir(), "root"), &b, room())
	if !errors.Is(err, ErrNoSpace) {
		t.Errorf("got %v", err)
	}
}

func TestUnpackStopsWithItsContext(t *testing.T) {
	privileged(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	err := unpackInto(ctx, t, filepath.Join(t.TempDir(), "root"), tarOf(t, imagetest.File("f", "", 0o644)), room())
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}
