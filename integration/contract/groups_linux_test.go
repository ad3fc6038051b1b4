package contract

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"runnel/integration/rig"
)

// groupSettings are settings of the cgroups of what is called so: of instances
// by path, and below of containers where there are several.
func groupSettings(d *rig.Daemon, name string, files ...string) map[string]string {
	d.Host.Helper()
	found := map[string]string{}
	for _, root := range rig.CgroupDirs(d.Host.TB, d.Root) {
		_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			below, _ := strings.CutPrefix(path, root+"/")
			if err != nil || !slices.Contains(files, filepath.Base(path)) || !strings.HasPrefix(below, name+"-") {
				return nil // gone since, or of no interest
			}
			if text, err := os.ReadFile(path); err == nil {
				found[path] = strings.TrimSpace(string(text))
			}
			return nil
		})
	}
	return found
}

// hasQuota reports whether a container of what is called so may use that many
// microseconds of CPU in 100 ms.
func hasQuota(d *rig.Daemon, name, micros string) bool {
	d.Host.Helper()
	for path, text := range groupSettings(d, name, "cpu.max", "cpu.cfs_quota_us") {
		if text == micros || strings.HasSuffix(path, "cpu.max") && text == micros+" 100000" {
			return true
		}
	}
	return false
}

// insideLimits are the quota of CPU in microseconds for 100 ms, and the limit of
// memory in bytes, as a container sees its own.
func insideLimits(settings map[string]string) (quota, memory string) {
	quota = settings["cpu/cpu.cfs_quota_us"]
	if max, period, ok := strings.Cut(settings["cpu.max"], " "); ok && period == "100000" {
		quota = max
	}
	memory = settings["memory/memory.limit_in_bytes"]
	if max := settings["memory.max"]; max != "" {
		memory = max
	}
	return quota, memory
}
