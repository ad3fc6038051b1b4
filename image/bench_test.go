package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// packages is a layer like those of a distribution: 4,000 files of a few
// kilobytes in 400 directories, and some large ones.
func packages() imagetest.Layer {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() []byte { return fmt.Appendf(nil, "%x ", random.Uint32N(5000)) }
	var l imagetest.Layer
	add := func(name string, size int) {
		var body bytes.Buffer
		for body.Len() < size {
			body.Write(word())
		}
		l.Entries = append(l.Entries, imagetest.File(name, body.String(), 0o644))
	}
	for d := range 400 {
		l.Entries = append(l.Entries, imagetest.Dir(fmt.Sprintf("usr/share/package%d/", d), 0o755))
		for f := range 10 {
			add(fmt.Sprintf("usr/share/package%d/file%d", d, f), 500+random.IntN(8000))
		}
	}
	for i := range 4 {
		add(fmt.Sprintf("usr/lib/library%d.so", i), 12<<20)
	}
	return l
}

// BenchmarkUnpack measures the writing alone: no network, no compression.
func BenchmarkUnpack(b *testing.B) {
	testenv.Root(b)
	var stream bytes.Buffer
	must(b, packages().Tar(&stream))
	b.SetBytes(int64(stream.Len()))
	b.ReportAllocs()
	top := b.TempDir()
	must(b, spreadChildren(top))
	lim := limits{bytes: 1 << 40, room: 1 << 40, entries: 1 << 20}
	for i := 0; b.Loop(); i++ {
		root := filepath.Join(top, fmt.Sprint(i))
		must(b, unpackInto(b.Context(), b, root, bytes.NewReader(stream.Bytes()), lim))
		b.StopTimer()
		must(b, os.RemoveAll(root))
		b.StartTimer()
	}
}

// BenchmarkPull measures a whole pull from a registry on loopback, durable at
// its end. IMAGE_BENCH_TREES, a list of directories parted by colons, makes the
// image of them instead, one layer each.
func BenchmarkPull(b *testing.B) {
	testenv.Root(b)
	ref := imagetest.Registry(b) + "/bench"
	layers := []imagetest.Layer{packages(), entriesLayer(imagetest.File("app", "x", 0o755))}
	if trees := os.Getenv("IMAGE_BENCH_TREES"); trees != "" {
		layers = nil
		for _, dir := range filepath.SplitList(trees) {
			layers = append(layers, imagetest.Layer{Tree: dir})
		}
	}
	a := imagetest.Push(b, imagetest.Build{Layers: layers}, ref)
	size := int64(0)
	for _, l := range a.Manifest.Layers {
		size += l.Size
	}
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		s := newStore(b)
		b.StartTimer()
		img := mustPull(b, s, ref)
		b.StopTimer()
		if len(img.Layers) == 0 {
			b.Error("no layers")
		}
		must(b, s.Close())
		must(b, os.RemoveAll(s.cfg.Dir))
		b.StartTimer()
	}
}

// BenchmarkManySmallFiles is the worst case for the file system: empty files.
func BenchmarkManySmallFiles(b *testing.B) {
	testenv.Root(b)
	var stream bytes.Buffer
	tw := tar.NewWriter(&stream)
	for i := range 20_000 {
		must(b, tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("d%d/f%d", i/100, i), Mode: 0o644}))
	}
	must(b, tw.Close())
	top := b.TempDir()
	must(b, spreadChildren(top))
	lim := limits{bytes: 1 << 40, room: 1 << 40, entries: 1 << 20}
	for i := 0; b.Loop(); i++ {
		root := filepath.Join(top, fmt.Sprint(i))
		must(b, unpackInto(b.Context(), b, root, bytes.NewReader(stream.Bytes()), lim))
		b.StopTimer()
		must(b, os.RemoveAll(root))
		b.StartTimer()
	}
}
