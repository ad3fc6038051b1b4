package image

import (
	"errors"
	"fmt"
	"syscall"
)

// limits bound what one layer may do to the host.
type limits struct {
	// bytes bounds the inflated stream: ErrTooLarge.
	bytes int64
	// room is how much of the disk its files may take, holes included: ErrNoSpace.
	room int64
	// entries bounds files, directories and links, made or replaced: ErrTooLarge.
	entries int64
	// reserve is what must stay free on the disk: ErrNoSpace.
	reserve int64
}

const (
	// streamSlack is what headers, padding and what follows the end of the tar
	// may add to a layer's files.
	streamSlack = 8 << 30
	// diskCheckBytes is how much is written between two looks at the disk. All
	// workers together write less than the default reserve in that time.
	diskCheckBytes = 16 << 20
	// maxEntryName is PATH_MAX.
	maxEntryName = 4096
)

// entryError is something wrong with one entry of a layer.
func entryError(name string, reason error) error {
	return fmt.Errorf("%w: entry %q: %w", ErrInvalidLayer, clip(name), reason)
}

// clip keeps a name out of a hostile archive to a readable length.
func clip(name string) string {
	const most = 256
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

// invalid marks what a decoder or the tar reader reports as the layer's fault,
// unless it has been given its reason already.
func invalid(err error) error {
	if isOneOf(err, ErrTooLarge, ErrNoSpace, ErrDigest, ErrInvalidLayer, ErrUnreachable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInvalidLayer, err)
}

// diskError names a full disk as such.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
