package look

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// IDs are who the process is to the kernel.
type IDs struct {
	// UID and GID are the real, effective and saved ones.
	UID    [3]int `json:"uid"`
	GID    [3]int `json:"gid"`
	Groups []int  `json:"groups"`
	// Umask is octal, such as 0022.
	Umask string `json:"umask"`
	// OOMScoreAdj is what the process adds to its badness.
	OOMScoreAdj string `json:"oomScoreAdj"`
	// Nice is its priority, from 19 down to -20.
	Nice int `json:"nice"`
	PID  int `json:"pid"`
	PPID int `json:"ppid"`
	// Session and Group are those of its terminal, if it had one.
	Session int `json:"session"`
	Group   int `json:"group"`
}

func ids() IDs {
	i := IDs{PID: os.Getpid(), PPID: os.Getppid(), Group: unix.Getpgrp(), Umask: readStatus("self")["Umask"], OOMScoreAdj: textOf("/proc/self/oom_score_adj")}
	i.UID[0], i.UID[1], i.UID[2] = unix.Getresuid()
	i.GID[0], i.GID[1], i.GID[2] = unix.Getresgid()
	i.Groups, _ = os.Getgroups() // every process may ask
	slices.Sort(i.Groups)
	i.Session, _ = unix.Getsid(0) // as above
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		i.Nice = 20 - n // the kernel says it that way around
	}
	return i
}
