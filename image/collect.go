package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Collect forgets the images that are not in use and removes the layers no image
// is left to use. What a Pull in progress has found or brought stays, and so does
// what a Lease keeps and, for a while, an upload that nobody has asked for yet. It
// returns how many bytes of disk were given back, also with an error. It waits for
// no pull, and what it removes is removed while pulls go on.
//
// It is for a caller that goes on for long and knows what is in use. "runnel run"
// does not call it, so that a store that is kept between runs only grows.
//
// inUse gives the manifest digests of the images in use, but for those that a
// Lease keeps: it must know of an image before its Lease ends. If it fails nothing
// is removed.
func (s *Store) Collect(ctx context.Context, inUse func() (imageDigests []string, err error)) (freed int64, err error) {
	leave, err := s.enter()
	if err != nil {
		return 0, fmt.Errorf("collect images: %w", err)
	}
	defer leave()
	doomed, err := s.detachUnused(inUse)
	for _, dir := range doomed {
		if ctx.Err() != nil {
			break // it lies in tmp: the next Open removes it
		}
		n := treeUsage(dir)
		if rerr := os.RemoveAll(dir); rerr != nil {
			err = errors.Join(err, rerr)
			continue
		}
		freed += n
	}
	if err = errors.Join(err, context.Cause(ctx)); err != nil {
		return freed, fmt.Errorf("collect images: %w", err)
	}
	return freed, nil
}

// detachUnused detaches what is not in use, with all leases as they are.
func (s *Store) detachUnused(inUse func() ([]string, error)) (doomed []string, err error) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	digests, err := inUse()
	if err != nil {
		return nil, err
	}
	keep := make(map[digest]bool, len(digests))
	for _, d := range digests {
		keep[digest(d)] = true
	}
	return s.detach(keep)
}

// detach removes records and moves layers out of sight, in that order, so that
// no record ever lacks a layer. It returns where the layers are now.
func (s *Store) detach(keep map[digest]bool) (doomed []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	records, err := s.records()
	if err != nil {
		return nil, err
	}
	clear(s.spared)
	used := map[digest]bool{}
	for _, r := range records {
		if !keep[r.Digest] && !s.spare(r) {
			if err := os.Remove(s.recordPath(r.Digest)); err != nil {
				return nil, err
			}
			continue
		}
		for _, l := range r.Layers {
			used[l.DiffID] = true
		}
	}
	if err := syncDir(s.imagesDir()); err != nil {
		return nil, err
	}
	return s.detachLayers(used)
}

// spare reports whether an image that nothing needs stays for now. Store.mu is
// held.
func (s *Store) spare(r *record) bool {
	if s.pinned[string(r.Digest)] == 0 {
		return s.awaited(r)
	}
	s.spared[string(r.Digest)] = true
	return true
}

func (s *Store) detachLayers(used map[digest]bool) (doomed []string, err error) {
	entries, err := os.ReadDir(s.layersDir())
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		d, err := parseDigest(digestPrefix + e.Name())
		if err != nil || used[d] {
			continue
		}
		if s.pinned[string(d)] > 0 {
			s.spared[string(d)] = true
			continue
		}
		grave, err := os.MkdirTemp(s.tmpDir(), "collected-")
		if err != nil {
			return doomed, err
		}
		doomed = append(doomed, grave)
		if err := os.Rename(s.layerDir(d), filepath.Join(grave, "root")); err != nil {
			return doomed, err
		}
	}
	return doomed, nil
}

// treeUsage is how much disk a directory holds.
func treeUsage(dir string) (total int64) {
	// What cannot be looked at counts nothing: the figure is for people.
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil {
			total += diskUsage(info)
		}
		return nil
	})
	return total
}
