package image

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compression is how a layer's blob is stored.
type compression int

const (
	compressionNone compression = iota
	compressionGzip
	compressionZstd
)

// maxZstdWindow bounds a decoder's memory. The strongest levels in use by image
// builders need 32 MiB.
const maxZstdWindow = 32 << 20

// sniffCompression reads the magic number. Source: RFC 1952, RFC 8878.
func sniffCompression(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return compressionGzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return compressionZstd
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return compressionZstd // a skippable frame first
	}
	return compressionNone
}

// inflater undoes a blob's compression, whatever it is, over all gzip members
// and zstd frames to the end of the input.
type inflater struct {
	io.Reader
	close func()
}

func newInflater(r io.Reader) (*inflater, error) {
	// flate has a fast path for bufio.
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch sniffCompression(head) {
	case compressionGzip:
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return &inflater{Reader: z, close: func() { _ = z.Close() }}, nil // closing reports read errors again
	case compressionZstd:
		// One goroutine: the stages around it have their own.
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return &inflater{Reader: z, close: z.Close}, nil
	}
	return &inflater{Reader: br, close: func() {}}, nil
}

// Close gives the decoder's memory back.
func (i *inflater) Close() error {
	i.close()
	return nil
}
