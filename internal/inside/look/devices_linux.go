package look

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// devices is all of /dev: a link is shown as "-> TARGET", a device as "c 1:3" or
// "b 8:0", anything else by its kind and mode.
func devices() map[string]string {
	found := map[string]string{}
	_ = filepath.WalkDir("/dev", func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != "/dev" {
			found[path] = device(path)
		}
		return nil // what cannot be read is not shown
	})
	return found
}

func device(path string) string {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return said(err)
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		target, _ := os.Readlink(path)
		return "-> " + target
	case unix.S_IFCHR:
		return "c " + number
	case unix.S_IFBLK:
		return "b " + number
	}
	info, err := os.Lstat(path)
	if err != nil {
		return said(err)
	}
	return info.Mode().String()
}
