package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"
)

// Upload is what somebody sends to have an image made of.
type Upload struct {
	// Body is read once, at most to its end.
	Body io.Reader
	// MaxBytes bounds it, and what a layer inflates to: more is ErrTooLarge. 0
	// means as much as there is room on the disk.
	MaxBytes int64
}

// AddLayer makes an image of the one that base means now, which is pulled if
// need be, and of a layer on top: u is its tar, which may be compressed. Programs
// start in workingDir, an absolute path; all else is as base has it. The same
// layer on the same image makes the same one.
//
// The layer is treated as one of a registry is: what that refuses, this does.
// On an error nothing of it is visible, and its disk is given back. Errors wrap
// one of the package's sentinels, and ErrBase if they are about base, which is
// pulled before anything is read from u.
//
// Only the digest leads to the image; see UploadReference. Until a Pull has asked
// for it Collect keeps it for StoreConfig.KeepUploads, in any case.
func (s *Store) AddLayer(ctx context.Context, base, workingDir string, u Upload) (*Image, error) {
	leave, err := s.enter()
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer leave()
	var pins []string
	defer func() { s.letGo(pins, nil) }()
	below, err := s.obtain(ctx, base, PullOptions{}, &pins)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrBase, base, err)
	}
	if len(below.Layers) >= maxLayers {
		return nil, fmt.Errorf("%w %s: %w: it has %d layers, overlayfs stacks %d", ErrBase, base, ErrTooLarge, len(below.Layers), maxLayers)
	}
	r, err := s.layOn(ctx, below, workingDir, u, &pins)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return s.image(string(r.Digest), r), nil
}

// layOn makes the image of a layer on another image and publishes both.
func (s *Store) layOn(ctx context.Context, below *record, workingDir string, u Upload, pins *[]string) (_ *record, err error) {
	f := &flight{done: make(chan struct{}), refs: 1} // nobody else can join it
	defer func() { err = errors.Join(err, s.leave(f)) }()
	limits, err := s.layerLimits(u.MaxBytes)
	if err != nil {
		return nil, err
	}
	// It takes none of the workers: who sends slowly keeps nobody else waiting.
	f.dir, f.diffID, err = s.bring(ctx, uploadedBody(u), layer{size: -1}, limits, &f.current)
	if err != nil {
		return nil, err
	}
	s.hold(f, pins)
	r, err := composed(below, f.diffID, workingDir)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.pin(string(r.Digest), pins)
	s.mu.Unlock()
	p := &pull{store: s, flights: []*flight{f}}
	return r, p.commit(r)
}

// uploadedBody is the one blob that an upload consists of.
type uploadedBody Upload

// blob is the body itself, which is its owner's to close. Whoever gave it ends a
// read that waits.
func (u uploadedBody) blob(ctx context.Context, _ descriptor) (io.ReadCloser, error) {
	return io.NopCloser(untilDone(ctx, u.Body)), nil
}

// untilDone is r, of which nothing is read any more once ctx has ended.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return ending{r, func() error { return context.Cause(ctx) }}
}

// ending is a reader that ends when its cause is there.
type ending struct {
	r     io.Reader
	cause func() error
}

// Read fails with the cause.
func (e ending) Read(p []byte) (int, error) {
	if err := e.cause(); err != nil {
		return 0, err
	}
	return e.r.Read(p)
}

// composed is the record of an image with one layer more.
func composed(below *record, top digest, workingDir string) (*record, error) {
	r := &record{
		Version: recordVersion, Config: below.Config, Upload: true, Awaited: time.Now(),
		Layers: append(below.Layers[:len(below.Layers):len(below.Layers)], recordLayer{DiffID: top, Size: -1}),
	}
	r.Config.WorkingDir = path.Clean(workingDir)
	var file configFile
	file.platform = platform{OS: "linux", Architecture: "amd64"}
	file.Config = imported(r.Config)
	for _, l := range r.Layers {
		file.RootFS.DiffIDs = append(file.RootFS.DiffIDs, string(l.DiffID))
	}
	raw, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	r.Digest = digestOf(raw)
	return r, nil
}
