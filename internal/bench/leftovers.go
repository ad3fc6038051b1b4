package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// cgroupPatterns match the groups right under the root of every hierarchy, on
// v2 and on v1.
var cgroupPatterns = [...]string{"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*"}

// topGroups lists the groups that the peers could add to.
func topGroups() []string {
	var all []string
	for _, p := range cgroupPatterns {
		found, _ := filepath.Glob(p) // fails only for a bad pattern
		all = append(all, found...)
	}
	return all
}

// removeNewGroups removes the groups that were not there before: Docker and
// Podman leave theirs. A group that is still in use stays.
func removeNewGroups(before []string) {
	for _, top := range topGroups() {
		if slices.Contains(before, top) {
			continue
		}
		var dirs []string
		// What cannot be read is gone already.
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			_ = os.Remove(dir)
		}
	}
}
