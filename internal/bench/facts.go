package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// printFacts says on what machine the tables were made, and with which tools.
func printFacts(w io.Writer, rounds int, tools []tool) {
	fmt.Fprintf(w, "Machine: %d × %s, %s of memory, Linux %s, cgroup %s. Medians of %d rounds.\n\n",
		runtime.NumCPU(), fact("/proc/cpuinfo", "model name"), memory(fact("/proc/meminfo", "MemTotal")), kernelRelease(), cgroupMode(), rounds)
	for _, t := range tools {
		fmt.Fprintf(w, "- %s: %s\n", t.name(), t.version())
	}
}

// fact reads the first value of key in a file of "key: value" lines.
func fact(file, key string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// memory turns the kernel's "24684092 kB" into gigabytes.
func memory(total string) string {
	var kib int64
	if _, err := fmt.Sscanf(total, "%d kB", &kib); err != nil {
		return total
	}
	return fmt.Sprintf("%.0f GB", float64(kib)*1024/1e9)
}

func kernelRelease() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// cgroupMode tells a host with one hierarchy from one with several.
func cgroupMode() string {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return "v2"
	}
	return "v1"
}
