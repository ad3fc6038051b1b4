package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// contract: JOB-13, JOB-14, JOB-17, LOG-4
func TestEndNotes(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	o := &origin{timeout: 600 * time.Second, memory: 512 * contract.MiB}
	for name, c := range map[string]struct {
		exit contract.Exit
		err  string
		want string
	}{
		"success":   {contract.Exit{}, "", "700 INFO Container called exit(0)."},
		"failure":   {contract.Exit{Code: 7}, "", "700 WARNING Container called exit(7)."},
		"signal":    {contract.Exit{Signal: 9}, "", "700 WARNING Container terminated on signal 9."},
		"memory":    {contract.Exit{Signal: 9, OOMKilled: true}, "", "700 ERROR Memory limit of 512 MiB exceeded with 512 MiB used.|700 WARNING Container terminated on signal 9."},
		"timeout":   {contract.Exit{Signal: 9, TimedOut: true}, "", "600 ERROR Terminating task because it has reached the maximum timeout of 600 seconds.|700 WARNING Container terminated on signal 9."},
		"cancelled": {contract.Exit{Signal: 15, Cancelled: true}, "", "700 WARNING Container terminated on signal 15."},
		"lost":      {contract.Exit{Lost: true}, "", "700 ERROR The end of the container was not seen; the attempt counts as failed."},
		"no start":  {contract.Exit{}, "no such file", "700 ERROR no such file"},
	} {
		r := scheduler.TaskRecord{Attempted: begin, Exit: rruntime.Exit{Exit: c.exit, At: begin.Add(700 * time.Second)}, Error: c.err}
		var got []string
		for _, n := range endNotes(o, r) {
			got = append(got, fmt.Sprintf("%.0f %s %s", n.at.Sub(begin).Seconds(), n.severity, n.text))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(got, "|"), c.want)
		}
	}
}
