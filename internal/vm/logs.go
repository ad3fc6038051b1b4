package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keepLogs moves the logs of a run that failed to where no other run writes,
// and says where. Those that were not begun do not matter.
func keepLogs(c config, logs ...string) error {
	dir, err := newDir(filepath.Join(c.cache, "failed"), time.Now())
	if err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	for _, log := range logs {
		err := os.Rename(log, filepath.Join(dir, filepath.Base(log)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the logs: %w", err)
		}
	}
	fmt.Println("vm: the output and the kernel's console are kept in", dir)
	return nil
}

// newDir makes a directory that did not exist, named by the time.
func newDir(parent string, now time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	base := filepath.Join(parent, now.UTC().Format("20060102T150405Z"))
	for dir, n := base, 2; ; n++ {
		err := os.Mkdir(dir, 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
		dir = fmt.Sprintf("%s-%d", base, n)
	}
}

// tailLines is how much of the console is shown: a kernel's last words.
const tailLines = 25

// printTail writes the last lines of a file, if there is one.
func printTail(w io.Writer, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(w, "vm: the console cannot be read:", err)
		return
	}
	lines := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	fmt.Fprintln(w, "vm: the console ends with")
	for _, line := range lines[max(0, len(lines)-tailLines):] {
		fmt.Fprintln(w, "\t"+strings.TrimRight(line, "\r"))
	}
}
