package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"runnel/internal/durable"
	"runnel/store/boltfile"
)

// overhang is how many bytes of free pages a file may lack at its end.
const overhang = 1 << 30

// recoverState finds the newest whole state of a file, and has the file show it
// if it does not. It returns nil if nothing was wrong.
func recoverState(f *os.File) (*Recovery, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	states, faults := boltfile.Metas(f)
	for _, m := range states {
		err := audit(f, info.Size(), m)
		switch {
		case errors.Is(err, ErrSchema) && !errors.Is(err, errForeign):
			return nil, err
		case err != nil:
			faults = append(faults, fmt.Errorf("state %d: %w", m.Tx, err))
			continue
		case len(faults) == 0:
			return nil, nil
		}
		kept, err := keep(f)
		if err != nil {
			return nil, fmt.Errorf("keep what is damaged (%w) aside: %w", errors.Join(faults...), err)
		}
		if err := errors.Join(boltfile.Revert(f, m), f.Sync()); err != nil {
			return nil, fmt.Errorf("go back to state %d: %w", m.Tx, err)
		}
		return &Recovery{Reason: joined(faults), Kept: kept}, nil
	}
	if err := errors.Join(faults...); errors.Is(err, errForeign) {
		return nil, errForeign
	}
	return nil, fmt.Errorf("%w (%s): move the file away to begin with an empty one, or put a copy in its place", ErrDamaged, joined(faults))
}

// joined says in one line all that is wrong.
func joined(faults []error) (text string) {
	for i, err := range faults {
		if i > 0 {
			text += "; "
		}
		text += err.Error()
	}
	return text
}

// audit checks one state of a file: that all its pages are whole, that it is
// of this schema, and that what is in it is what was written, all of it.
func audit(f *os.File, size int64, m boltfile.Meta) error {
	if m.Size()-size > overhang {
		return fmt.Errorf("needs %d bytes, the file has %d", m.Size(), size)
	}
	var a auditor
	if err := boltfile.Walk(f, size, m, a.visit); err != nil {
		return err
	}
	switch {
	case a.schema != strconv.Itoa(schema):
		return foreign(a.schema)
	case a.buckets != len(buckets()):
		return errors.New("a bucket is missing")
	case a.state != string(state(m.Tx, a.sum)):
		return errors.New("content is not what was written")
	}
	return nil
}

// foreign says whose file it is that has another schema.
func foreign(found string) error {
	n, err := strconv.Atoi(found)
	switch {
	case err != nil:
		return errForeign
	case n > schema:
		return fmt.Errorf("%w: the file was written by a newer Runnel: its schema is %d, this one's is %d", ErrSchema, n, schema)
	}
	return fmt.Errorf("%w: the file was written by an older Runnel: its schema is %d, this one's is %d", ErrSchema, n, schema)
}

// auditor looks at all that is in a state.
type auditor struct {
	schema, state string
	buckets       int    // how many there are of those that every file has
	sum           uint64 // of the digests
}

// visit looks at one key.
func (a *auditor) visit(bucket [][]byte, key, value []byte) {
	in := string(bytes.Join(bucket, []byte("/")))
	switch {
	case value == nil:
		if in == "" && slices.Contains(buckets(), string(key)) {
			a.buckets++
		}
	case in != bucketAbout:
		a.sum += digest(in, key, value)
	case string(key) == keySchema:
		a.schema = string(value)
	case string(key) == keyState:
		a.state = string(value)
	}
}

// keep copies a file to a new name beside it.
func keep(f *os.File) (path string, err error) {
	path = f.Name() + time.Now().UTC().Format(".damaged-20060102-150405.000000000")
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, 0, 1<<62))
	err = errors.Join(err, to.Sync(), to.Close())
	if err == nil {
		err = durable.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // half a copy
	}
	return path, err
}
