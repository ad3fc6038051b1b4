package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// shim is the process of the daemon's shim, whichever daemon has started it.
func (d *daemon) shim() (pid int, err error) {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, file := range found {
		text, _ := os.ReadFile(file) // it may be gone by now
		if strings.Contains(string(text), "\x00"+filepath.Join(d.root, "shim")+"\x00") {
			return strconv.Atoi(filepath.Base(filepath.Dir(file)))
		}
	}
	return 0, errors.New("the daemon has no shim")
}

// worked is what daemon and shim have worked so far, with all that the shim has
// reaped: every instance that has ended.
func (d *daemon) worked() (time.Duration, error) {
	shim, err := d.shim()
	if err != nil {
		return 0, err
	}
	return workedOf(d.process.Process.Pid, shim)
}

// childrenOf are the children of all threads of a process.
func childrenOf(pid int) (all []int, err error) {
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, file := range found {
		text, _ := os.ReadFile(file) // the thread may be gone by now
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			all = append(all, child)
		}
	}
	return all, nil
}

// workedOf is what processes, and those of their children that have ended, have
// worked so far.
func workedOf(pids ...int) (sum time.Duration, err error) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		one, err := parseWorked(string(stat))
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

// shareOf is a process's share of the memory that it maps, in bytes: what it has
// for itself, and its part of what others map too.
func shareOf(pid int) (bytes int64, err error) {
	file := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	if _, err := fmt.Sscanf(fact(file, "Pss"), "%d kB", &bytes); err != nil {
		return 0, fmt.Errorf("read Pss of %s: %w", file, err)
	}
	return bytes << 10, nil
}

// parseWorked adds user and system time of a process and of its children that
// have been waited for, in /proc/PID/stat.
func parseWorked(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0, fmt.Errorf("a process's stat is %q", stat)
	}
	var sum time.Duration
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read a process's stat: %w", err)
		}
		sum += time.Duration(n) * ticks
	}
	return sum, nil
}

// resident is what memory a process has, in bytes: all of it, and what of that
// is no file's. The rest is the program and the database, which the kernel may
// drop.
type resident struct{ all, own int64 }

// resident reads the daemon's.
func (d *daemon) resident() (r resident, err error) {
	file := fmt.Sprintf("/proc/%d/status", d.process.Process.Pid)
	for key, into := range map[string]*int64{"VmRSS": &r.all, "RssAnon": &r.own} {
		if _, err := fmt.Sscanf(fact(file, key), "%d kB", into); err != nil {
			return r, fmt.Errorf("read %s of %s: %w", key, file, err)
		}
		*into *= 1 << 10
	}
	return r, nil
}

// String is what a table says of it.
func (r resident) String() string {
	return fmt.Sprintf("%.0f MB (%.0f MB without files)", float64(r.all)/1e6, float64(r.own)/1e6)
}
