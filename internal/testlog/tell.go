package testlog

import (
	"fmt"
	"io"
)

// Tell prints each failure with its lines, and at the very end their names alone,
// so that the shortest tail of a log holds those. It prints nothing if nothing
// failed.
func (r *Reader) Tell(w io.Writer) error {
	if len(r.found) == 0 {
		return nil
	}
	for _, f := range r.found {
		if _, err := fmt.Fprintf(w, "\nfailed: %s\n", f); err != nil {
			return err
		}
		for _, line := range f.lines {
			if _, err := fmt.Fprintf(w, "    %s\n", line); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintf(w, "\n%d failed:\n", len(r.found)); err != nil {
		return err
	}
	for _, f := range r.found {
		if _, err := fmt.Fprintf(w, "    %s\n", f); err != nil {
			return err
		}
	}
	return nil
}
