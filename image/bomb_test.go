package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"runnel/image/imagetest"
)

// deadlineTime is how long tests wait for what must happen.
const deadlineTime = 30 * time.Second

// zeros is an endless file of nothing.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// pushLayer pushes an image whose only layer is the tar that write makes,
// compressed as it is made.
func pushLayer(t testing.TB, ref string, write func(w io.Writer) error) {
	t.Helper()
	dir := t.TempDir()
	b := imagetest.Build{MediaTypes: imagetest.OCI, Layers: []imagetest.Layer{{Raw: []byte{}}}}
	a, err := b.Write(dir)
	must(t, err)
	f, err := os.Create(filepath.Join(dir, "layer"))
	must(t, err)
	z, err := zstd.NewWriter(f)
	must(t, err)
	buffered := bufio.NewWriterSize(z, 1<<20)
	must(t, write(buffered))
	must(t, errors.Join(buffered.Flush(), z.Close(), f.Close()))
	raw, err := os.ReadFile(f.Name())
	must(t, err)
	desc, err := imagetest.AddBlob(dir, raw)
	must(t, err)
	desc.MediaType = a.Manifest.Layers[0].MediaType
	a.Manifest.Layers[0] = desc
	must(t, a.Seal(imagetest.Platform{}))
	must(t, a.Push(t.Context(), ref))
}

// pushZeros pushes a layer with one file of size zeros, with the right diff ID.
func pushZeros(t testing.TB, ref string, size int64) {
	t.Helper()
	hash := newMeter(nil, 0, nil, nil)
	write := func(w io.Writer) error {
		tw := tar.NewWriter(w)
		hdr := &tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Mode: 0o644, Size: size, Format: tar.FormatGNU}
		if err := tw.WriteHeader(hdr); err != nil {
			return err
		}
		if _, err := io.CopyN(tw, zeros{}, size); err != nil {
			return err
		}
		return tw.Close()
	}
	must(t, write(hash.hash))
	dir := t.TempDir()
	b := imagetest.Build{Compression: imagetest.Zstd, Layers: []imagetest.Layer{{Raw: []byte{}}}, ClaimDiffIDs: []string{string(hash.sum())}}
	a, err := b.Write(dir)
	must(t, err)
	r, w := io.Pipe()
	z, err := zstd.NewWriter(w)
	must(t, err)
	go func() { _ = w.CloseWithError(errors.Join(write(z), z.Close())) }()
	raw, err := io.ReadAll(r)
	must(t, err)
	desc, err := imagetest.AddBlob(dir, raw)
	must(t, err)
	desc.MediaType = a.Manifest.Layers[0].MediaType
	a.Manifest.Layers[0] = desc
	must(t, a.Seal(imagetest.Platform{}))
	must(t, a.Push(t.Context(), ref))
}

// contract: ATK-12
// Small layers that become large: refused in time, with bounded memory, and
// with all of their disk given back.
func TestPullBombs(t *testing.T) {
	notInVM(t)
	privileged(t)
	server := imagetest.Serve(t)
	for name, c := range map[string]struct {
		write func(w io.Writer) error
		want  error
	}{
		"one large file": {func(w io.Writer) error {
			tw := tar.NewWriter(w)
			if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: 256 << 20}); err != nil {
				return err
			}
			_, err := io.CopyN(tw, zeros{}, 256<<20)
			return err
		}, ErrNoSpace},
		"many files":   {func(w io.Writer) error { return manyFiles(w, 200, 1<<20) }, ErrNoSpace},
		"many entries": {func(w io.Writer) error { return manyFiles(w, 6_000, 0) }, ErrTooLarge},
		"after the end": {func(w io.Writer) error {
			if err := tar.NewWriter(w).Close(); err != nil {
				return err
			}
			_, err := io.CopyN(w, zeros{}, 256<<20)
			return err
		}, ErrTooLarge},
		"huge PAX header": {func(w io.Writer) error {
			if err := paxHeader(w, 64<<20); err != nil {
				return err
			}
			_, err := io.CopyN(w, zeros{}, 64<<20)
			return err
		}, ErrInvalidLayer},
		"many PAX headers": {func(w io.Writer) error {
			tw := tar.NewWriter(w)
			for range 5_001 {
				if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{
					"comment": strings.Repeat("x", 4000),
				}}); err != nil {
					return err
				}
			}
			return nil
		}, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			ref := server.Host + "/bomb"
			pushLayer(t, ref, c.write)
			dir := tmpfs(t, "size=128m")
			s, err := Open(StoreConfig{
				Dir: dir + "/store", MaxLayerEntries: 5_000, MaxLayerBytes: 230 << 20, ReserveBytes: -1,
			})
			must(t, err)
			defer func() { must(t, s.Close()) }()
			before, err := freeBytes(dir)
			must(t, err)
			peak := watchHeap(t)
			refused(t, s, ref, c.want)
			if got := peak(); got > 64<<20 {
				t.Errorf("took %d MiB of memory", got>>20)
			}
			if after, err := freeBytes(dir); err != nil || after != before {
				t.Errorf("%d bytes free before, %d after (%v)", before, after, err)
			}
		})
	}
}

// paxHeader writes the block that announces an extended header of size bytes,
// which archive/tar does not write if it is absurd.
func paxHeader(w io.Writer, size int64) error {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "x", Size: size, Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	block := b.Bytes()[:512]
	block[156] = tar.TypeXHeader
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	_, err := w.Write(block)
	return err
}

func manyFiles(w io.Writer, count int, size int64) error {
	tw := tar.NewWriter(w)
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i)
	}
	for i := range count {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint("f", i), Size: size}); err != nil {
			return err
		}
		if _, err := tw.Write(body); err != nil {
			return err
		}
	}
	return tw.Close()
}

// watchHeap follows the heap; what it returns gives the peak above the start.
func watchHeap(t *testing.T) (peak func() int64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start, highest := m.HeapInuse, m.HeapInuse
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapInuse)
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		return int64(highest - start)
	}
}
