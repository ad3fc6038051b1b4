package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// writeFile writes value to a control file in one write, as the kernel wants
// it. The file must exist: what is missing is a missing feature.
func writeFile(dir, name, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// readWords reads a control file and splits it at white space.
func readWords(dir, name string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, gone(err)
	}
	return strings.Fields(string(text)), nil
}

// readUint reads a control file that holds one number. "max" is the greatest.
func readUint(dir, name string) (uint64, error) {
	words, err := readWords(dir, name)
	if err != nil {
		return 0, err
	}
	if len(words) != 1 {
		return 0, fmt.Errorf("%s holds %q, not a number", filepath.Join(dir, name), words)
	}
	if words[0] == "max" {
		return 1<<64 - 1, nil
	}
	n, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return n, nil
}

// readKeys reads a control file of lines "key number". Lines of another form
// are left out: kernels add to these files.
func readKeys(dir, name string) (map[string]uint64, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, gone(err)
	}
	keys := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			keys[key] = n
		}
	}
	return keys, nil
}

// gone gives a group that vanished between open and read the same face as one
// that was not there to open.
func gone(err error) error {
	if errors.Is(err, syscall.ENODEV) {
		return fmt.Errorf("%w (%v)", os.ErrNotExist, err)
	}
	return err
}
