package rig

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ChildrenOf lists the processes whose parent is pid.
func ChildrenOf(pid int) (children []int) {
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
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				children = append(children, n)
			}
		}
	}
	return children
}

// Kill ends the process pid at once, and nothing else.
func (h *Host) Kill(pid int) {
	h.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		h.Fatal(err)
	}
}

// ProcessesCalled are those of the host whose command line begins with one of
// lines, in which a zero byte stands between two words.
func ProcessesCalled(lines ...string) (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil // the pattern is fine
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended since
		}
		for _, line := range lines {
			if strings.HasPrefix(string(text), line) {
				if n, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
					pids = append(pids, n)
				}
			}
		}
	}
	return pids
}

// Environ is what a process has in its environment, nil if it has
// ended.
func Environ(pid string) map[string]string {
	text, err := os.ReadFile("/proc/" + pid + "/environ")
	if err != nil {
		return nil // ended since
	}
	env := map[string]string{}
	for _, v := range strings.Split(string(text), "\x00") {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return env
}
