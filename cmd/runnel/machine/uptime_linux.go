package machine

import (
	"time"

	"golang.org/x/sys/unix"
)

// Uptime is how long the host has been up and awake, by the clock that timers go
// by; zero where it does not tell.
func Uptime() time.Duration {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &up) != nil {
		return 0
	}
	return time.Duration(up.Nano())
}
