package logs

import (
	"errors"
	"io/fs"
	"os"

	"runnel/contract"
	"runnel/runtime/logfile"
)

// Remove returns a function that removes what an instance has written below
// dir, the launcher's log directory, with all of its containers. That there is
// nothing is no error.
func Remove(dir string) func(instance string) error {
	return func(instance string) error {
		var errs []error
		for n := range contract.MaxContainers {
			errs = append(errs, removeFiles(dir, ContainerID(instance, n), true))
		}
		return errors.Join(errs...)
	}
}

// removeFiles removes the older file of a log, and with whole the other one too.
func removeFiles(dir, id string, whole bool) error {
	path := logfile.Path(dir, id)
	for _, file := range []string{logfile.Old(path), path} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !whole {
			return nil
		}
	}
	return nil
}
