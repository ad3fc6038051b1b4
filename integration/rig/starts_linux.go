package rig

import (
	"regexp"
	"testing"
	"time"
)

// TellStart is what a script begins with whose log Starts reads. The time that an
// entry of a log has is when it was read, which may be later.
const TellStart = "read up rest </proc/uptime; echo start at $up"

// Starts are the host's uptimes at which scripts that begin with TellStart have
// done so, by their log and in its order.
func Starts(t testing.TB, log string) (all []time.Duration) {
	t.Helper()
	for _, m := range startLine.FindAllStringSubmatch(log, -1) {
		at, err := time.ParseDuration(m[1] + "s")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, at)
	}
	return all
}

var startLine = regexp.MustCompile(`(?m)^start at (\S+)$`)
