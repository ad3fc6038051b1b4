package testenv

import (
	"fmt"
	"os"
	"strings"
)

// mount is one line of mountinfo, as far as a test cares.
type mount struct{ point, fstype string }

// readMounts lists the mounts of the calling thread's namespace.
func readMounts() ([]mount, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	var mounts []mount
	for line := range strings.Lines(string(text)) {
		m, err := parseMount(line)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// parseMount reads a line of mountinfo: a variable number of optional fields
// ends at a lone hyphen.
func parseMount(line string) (mount, error) {
	left, right, ok := strings.Cut(line, " - ")
	l, r := strings.Fields(left), strings.Fields(right)
	if !ok || len(l) < 6 || len(r) < 1 {
		return mount{}, fmt.Errorf("mountinfo line %q has a form nobody knows", line)
	}
	return mount{point: l[4], fstype: r[0]}, nil
}
