package logs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"runnel/runtime/logfile"
)

// sweptName is the file in the log directory that tells up to when executions' logs
// may have been removed to make room: its time of modification. No instance is called so.
const sweptName = "swept"

// sweptText stands for the logs of an execution of which none is left.
const sweptText = "There is no log left of this execution: those of before %s may have been removed to make room for newer ones."

// noteSweep notes that logs of executions have been removed that were written up to
// a time.
func noteSweep(dir string, until time.Time) error {
	if !until.After(sweptUntil(dir)) {
		return nil
	}
	path := filepath.Join(dir, sweptName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Chtimes(path, until, until))
}

// sweptUntil is the time up to which executions' logs may have been removed; zero if none
// have been.
func sweptUntil(dir string) time.Time {
	info, err := os.Stat(filepath.Join(dir, sweptName))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// nothingLeft reports whether not one of some logs is there.
func nothingLeft(found []*log) bool {
	for _, l := range found {
		for _, path := range []string{l.reader.path, logfile.Old(l.reader.path)} {
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				return false
			}
		}
	}
	return true
}
