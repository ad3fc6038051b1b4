package imagetest

import (
	"os"
	"syscall"
)

// inode identifies a file with several names.
type inode struct{ dev, ino uint64 }

// firstName tells whether name is the first of its file that is seen, or else
// which one was.
func firstName(info os.FileInfo, name string, seen map[inode]string) (first string, ok bool) {
	st, isStat := info.Sys().(*syscall.Stat_t)
	if !isStat || st.Nlink < 2 || !info.Mode().IsRegular() {
		return name, true
	}
	id := inode{st.Dev, st.Ino}
	if first, seenBefore := seen[id]; seenBefore {
		return first, false
	}
	seen[id] = name
	return name, true
}
