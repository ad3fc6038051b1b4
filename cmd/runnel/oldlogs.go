package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// removeOldLogs empties a directory of logs. A run removes each of its logs
// once it has been shown; what is there before the first instance was left by a
// run that was killed, and would never go. Where a daemon has its records the
// logs are the daemon's, and it is for the daemon to bound them.
func removeOldLogs(dir, records string) error {
	if _, err := os.Stat(records); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(dir)
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}
