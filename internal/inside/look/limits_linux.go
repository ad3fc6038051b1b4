package look

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Limit is one of a process. "unlimited" stands for none.
type Limit struct {
	Soft string `json:"soft"`
	Hard string `json:"hard"`
}

// Limits are all that the process has, by the kernel's names, in bytes where
// they are amounts of memory.
func Limits() map[string]Limit {
	limits := map[string]Limit{}
	for name, number := range map[string]int{
		"AS": unix.RLIMIT_AS, "CORE": unix.RLIMIT_CORE, "CPU": unix.RLIMIT_CPU, "DATA": unix.RLIMIT_DATA,
		"FSIZE": unix.RLIMIT_FSIZE, "LOCKS": unix.RLIMIT_LOCKS, "MEMLOCK": unix.RLIMIT_MEMLOCK,
		"MSGQUEUE": unix.RLIMIT_MSGQUEUE, "NICE": unix.RLIMIT_NICE, "NOFILE": unix.RLIMIT_NOFILE,
		"NPROC": unix.RLIMIT_NPROC, "RSS": unix.RLIMIT_RSS, "RTPRIO": unix.RLIMIT_RTPRIO,
		"RTTIME": unix.RLIMIT_RTTIME, "SIGPENDING": unix.RLIMIT_SIGPENDING, "STACK": unix.RLIMIT_STACK,
	} {
		var l unix.Rlimit
		// Prlimit asks the kernel; Getrlimit would tell what the runtime remembers.
		if err := unix.Prlimit(0, number, nil, &l); err == nil {
			limits[name] = Limit{amount(l.Cur), amount(l.Max)}
		}
	}
	return limits
}

func amount(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
