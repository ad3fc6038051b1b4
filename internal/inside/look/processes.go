package look

import (
	"os"
	"strconv"
	"strings"
)

// Process is one that this one sees.
type Process struct {
	PID  int `json:"pid"`
	PPID int `json:"ppid"`
	// State is the kernel's letter: R, S, Z and so on.
	State string   `json:"state"`
	Name  string   `json:"name"`
	Args  []string `json:"args"`
}

// Processes are all that this one sees, itself too.
func Processes() (found []Process) {
	entries, _ := os.ReadDir("/proc") // without it there are none to see
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		s := readStatus(e.Name())
		if s["State"] == "" {
			continue // gone since
		}
		p := Process{PID: pid, State: s["State"][:1], Name: s["Name"]}
		p.PPID, _ = strconv.Atoi(s["PPid"]) // the kernel writes numbers
		if line := strings.TrimRight(textOf("/proc/"+e.Name()+"/cmdline"), "\x00"); line != "" {
			p.Args = strings.Split(line, "\x00")
		}
		found = append(found, p)
	}
	return found
}
