package look

import (
	"os"
	"strconv"
	"strings"
)

// status is /proc/PID/status: names and values.
type status map[string]string

func readStatus(pid string) status {
	s := status{}
	for line := range strings.Lines(textOf("/proc/" + pid + "/status")) {
		name, value, _ := strings.Cut(line, ":")
		s[name] = strings.TrimSpace(value)
	}
	return s
}

// bits are the numbers of the bits that are set in a value.
func (s status) bits(name string) (set []int) {
	mask, err := strconv.ParseUint(s[name], 16, 64)
	if err != nil {
		return nil
	}
	for n := range 64 {
		if mask&(1<<n) != 0 {
			set = append(set, n)
		}
	}
	return set
}

// textOf is what a file says, without the end of the last line; or why it
// cannot be read.
func textOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "cannot be read: " + said(err)
	}
	return strings.TrimRight(string(text), "\n")
}
