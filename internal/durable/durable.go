// Package durable writes small files and the names of files so that they survive
// a power cut. It needs no privilege.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file path, durably and at once: who reads it sees the
// old one or the new one, whole.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	fresh, err := WriteBeside(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return SyncDir(filepath.Dir(path))
}

// WriteBeside writes a file with a name of its own next to path, durably, and
// returns the name. The directory is not synced.
func WriteBeside(path string, data []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
