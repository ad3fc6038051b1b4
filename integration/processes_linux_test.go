package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// child is a process with a parent.
type child struct {
	pid    string
	number int
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(pid int) (children []child) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil // the pattern is fine
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended since
		}
		// pid (name) state ppid ...: the name may hold anything.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			name := filepath.Base(filepath.Dir(path))
			if n, err := strconv.Atoi(name); err == nil {
				children = append(children, child{name, n})
			}
		}
	}
	return children
}

func itoa(n int) string { return strconv.Itoa(n) }
