package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// PullOptions adjusts a Pull. The zero value is ready to use.
type PullOptions struct {
	// Progress, if not nil, is told of every layer: once where it stands at
	// first, about ten times a second while it comes, and once when it is there.
	// It is called from several goroutines at the same time and must be quick.
	Progress func(Progress)

	// lease, if not nil, goes on keeping the image when the Pull is over.
	lease *Lease
}

// Pull gets the image a reference names, for linux/amd64: it asks the registry
// what the reference means now, fetches the layers that are not in the store,
// and returns when all of it is verified, unpacked and on the disk. Pulls of
// images that share a layer fetch it once.
//
// On an error nothing of the image is visible and its disk is given back. The
// error names the reference, says what is wrong in one line, and wraps one of
// the package's sentinels or the cause of ctx.
//
// The image stays until a Collect that is not told of it; a Lease pulls what no
// Collect takes.
func (s *Store) Pull(ctx context.Context, ref string, opts PullOptions) (*Image, error) {
	leave, err := s.enter()
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	defer leave()
	img, err := s.pull(ctx, ref, opts)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	return img, nil
}

func (s *Store) pull(ctx context.Context, ref string, opts PullOptions) (*Image, error) {
	var pins []string
	defer func() { s.letGo(pins, opts.lease) }()
	r, err := s.obtain(ctx, ref, opts, &pins)
	if err == nil && UploadDigest(ref) != "" {
		err = s.adopt(r)
	}
	if err != nil {
		return nil, err
	}
	opts.lease.keep(r.Digest)
	return s.image(ref, r), nil
}

// obtain gets the record of what a reference means now. Until the caller takes
// the pins back, nothing of it is collected.
func (s *Store) obtain(ctx context.Context, ref string, opts PullOptions, pins *[]string) (*record, error) {
	parsed, err := ParseReference(ref)
	if err != nil {
		return nil, err
	}
	if parsed.uploaded() {
		return s.findUpload(parsed, pins)
	}
	src, err := s.openSource(parsed)
	if err != nil {
		return nil, err
	}
	p := &pull{store: s, src: src, report: opts.Progress}
	return p.take(ctx, parsed, pins)
}

// take gets the image that a reference means in the pull's source, which it closes.
func (p *pull) take(ctx context.Context, ref Reference, pins *[]string) (_ *record, err error) {
	defer func() {
		err = errors.Join(err, p.store.leaveAll(p.flights), p.src.close())
		*pins = append(*pins, p.pins...)
	}()
	found, err := resolve(ctx, p.src, ref)
	if err != nil {
		return nil, err
	}
	return p.record(ctx, found)
}

// pull is one Pull under way.
type pull struct {
	store  *Store
	src    source
	report reporter
	// most bounds what a layer inflates to, beside the store's own bounds; 0 means
	// by these alone.
	most int64

	// pins are the digests this pull keeps from collection; guarded by Store.mu.
	pins []string

	mu      sync.Mutex
	flights []*flight // guarded by mu while layers come
}

// record gives the image's record, from the store or by getting its layers.
func (p *pull) record(ctx context.Context, found *resolved) (*record, error) {
	s := p.store
	s.mu.Lock()
	s.pin(string(found.digest), &p.pins)
	s.mu.Unlock()
	if r := p.known(found.digest); r != nil {
		return r, nil
	}
	config, layers, err := found.contents(ctx, p.src)
	if err != nil {
		return nil, err
	}
	diffIDs, err := p.layers(ctx, layers)
	if err != nil {
		return nil, err
	}
	r := &record{Version: recordVersion, Digest: found.digest, Config: config, Layers: diffIDs}
	return r, p.commit(r)
}

// known is the record of an image that is there whole. Its layers are pinned
// before they are looked for, so that what is seen stays.
func (p *pull) known(d digest) *record {
	s := p.store
	r, err := s.readRecord(d)
	if err != nil {
		return nil
	}
	for _, l := range r.Layers {
		s.mu.Lock()
		s.pin(string(l.DiffID), &p.pins)
		there := s.hasLayer(l.DiffID)
		s.mu.Unlock()
		if !there {
			return nil
		}
	}
	for _, l := range r.Layers {
		p.report.report(layer{digest: l.Blob, diffID: l.DiffID, size: l.Size}, Shared, max(l.Size, 0))
	}
	return r
}

// layers gets every layer at once, the largest first so that none is left over
// when the others are done.
func (p *pull) layers(ctx context.Context, layers []layer) ([]recordLayer, error) {
	order := make([]int, len(layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(layers[b].size, layers[a].size) })
	result := make([]recordLayer, len(layers))
	group, gctx := errgroup.WithContext(ctx)
	for _, i := range order {
		group.Go(func() error {
			diffID, err := p.layer(gctx, layers[i])
			result[i] = recordLayer{Blob: layers[i].digest, DiffID: diffID, Size: layers[i].size}
			return err
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return result, err
}

// layer gets one layer: found in the store, brought by another pull, or brought
// here. What another pull could not bring, or brought and lost to a collection,
// is tried from this pull's source.
func (p *pull) layer(ctx context.Context, l layer) (digest, error) {
	for {
		f, diffID, mine := p.store.join(l, &p.pins)
		if f == nil {
			p.report.report(l, Shared, max(l.size, 0))
			return diffID, nil
		}
		p.mu.Lock()
		p.flights = append(p.flights, f)
		p.mu.Unlock()
		err := p.fly(ctx, l, f, mine)
		switch {
		case err == nil && p.store.hold(f, &p.pins):
			p.report.report(l, Unpacked, f.current.Load())
			return f.diffID, nil
		case err != nil && mine:
			return "", err
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		}
	}
}

// fly waits for a flight, running it if it is this pull's own.
func (p *pull) fly(ctx context.Context, l layer, f *flight, mine bool) error {
	if !mine {
		p.report.follow(ctx, l, f)
		select {
		case <-f.done:
			return f.err
		default:
			return context.Cause(ctx)
		}
	}
	var followed sync.WaitGroup
	followed.Go(func() { p.report.follow(ctx, l, f) })
	p.store.run(ctx, f, p.src, l, p.most)
	followed.Wait()
	return f.err
}

// commit makes the image visible: everything to the disk, then the layers'
// names, then the record.
func (p *pull) commit(r *record) error {
	s := p.store
	if len(p.flights) > 0 {
		if err := syncFS(s.tmpDir()); err != nil {
			return err
		}
		if err := s.publish(p.flights); err != nil {
			return err
		}
	}
	// Also for layers that another pull has only just published.
	if err := syncDir(s.layersDir()); err != nil {
		return err
	}
	return s.writeRecord(r)
}
