package logs

import (
	"errors"
	"io/fs"
	"os"

	"runnel/runtime/logfile"
)

// Remove returns a function that removes what an instance has written below
// dir, the launcher's log directory. That there is nothing is no error.
func Remove(dir string) func(instance string) error {
	return func(instance string) error {
		path := logfile.Path(dir, instance)
		for _, file := range []string{logfile.Old(path), path} {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
}
