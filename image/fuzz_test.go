package image

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// seeds are streams near what the unpacker has to get right.
func seeds(t testing.TB) [][]byte {
	e := func(entries ...imagetest.Entry) []byte { return tarOf(t, entries...).Bytes() }
	return [][]byte{
		e(imagetest.Dir("a/", 0o755), imagetest.File("a/b", "content", 0o4755), imagetest.Link("a/c", "a/b"), imagetest.Symlink("s", "../../..")),
		e(imagetest.Symlink("l", ".."), imagetest.File("l/sentinel/file", "evil", 0o777)),
		e(imagetest.Symlink("l", "/"), imagetest.File("l/../../sentinel/file", "evil", 0o777)),
		e(imagetest.File("a/.wh.b", "", 0), imagetest.File("a/.wh..wh..opq", "", 0), imagetest.File("a/b", "", 0o644)),
		e(device("dev/null", tar.TypeChar, 1, 3), device("x", tar.TypeChar, 0, 0), device("y", tar.TypeBlock, 8, 0)),
		e(xattr(imagetest.File("capable", "c", 0o755), "security.capability", netRaw), imagetest.Link("../h", "capable")),
		e(imagetest.File("d", "file", 0o644), imagetest.Dir("d/", 0o755), imagetest.Symlink("d", "e"), imagetest.File("d/f", "", 0o644)),
		make([]byte, 2048),
	}
}

// Whatever the stream, the unpacker ends, and nothing beside its root changes.
func FuzzUnpack(f *testing.F) {
	testenv.Root(f)
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		top := t.TempDir()
		sentinel := filepath.Join(top, "sentinel")
		must(t, os.Mkdir(sentinel, 0o750))
		must(t, os.WriteFile(sentinel+"/file", []byte("untouched"), 0o640))
		must(t, os.Chtimes(sentinel, time.Unix(1, 0), time.Unix(1, 0)))
		before := tree(t, sentinel)
		lim := limits{bytes: 1 << 20, room: 1 << 20, entries: 200}
		_ = unpackInto(t.Context(), t, filepath.Join(top, "root"), bytes.NewReader(stream), lim) // may well be refused
		sameTree(t, tree(t, sentinel), before)
		left, err := os.ReadDir(top)
		must(t, err)
		if len(left) != 2 {
			t.Errorf("made %v beside the root", left)
		}
	})
}
