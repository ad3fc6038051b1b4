package main

import (
	"errors"
	"os"
	"path/filepath"
)

// removeOldLogs empties a directory of logs. A run removes each of its logs
// once it has been shown; what is there before the first instance was left by a
// run that was killed, and would never go.
func removeOldLogs(dir string) error {
	entries, err := os.ReadDir(dir)
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}
