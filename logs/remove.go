package logs

import (
	"errors"
	"io/fs"
	"os"

	"runnel/runtime/logfile"
)

// Remove returns a function that removes what an instance, or a further
// container of one, has written below dir, the launcher's log directory. That
// there is nothing is no error.
func Remove(dir string) func(instance string) error {
	return func(instance string) error { return removeFiles(dir, instance, true) }
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
