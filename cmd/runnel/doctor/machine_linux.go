package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"runnel/contract"
)

func avx2() Finding {
	const name = "AVX2"
	if !cpu.X86.HasAVX2 {
		return degraded(name, "this CPU has none", "programs built for Cloud Run's CPUs may stop with SIGILL; use a newer CPU")
	}
	return ok(name, "this CPU has it")
}

// softwareYear is a year in which this program was there: a clock before it is
// wrong.
const softwareYear = 2025

func clock() Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return degraded("clock", err.Error(), "")
	}
	return judgeClock(time.Now(), state != unix.TIME_ERROR)
}

// judgeClock is the finding about a clock.
func judgeClock(now time.Time, synchronized bool) Finding {
	const name = "clock"
	detail := now.UTC().Format(time.RFC3339)
	if now.Year() < softwareYear {
		return degraded(name, detail+" is in the past", "set the clock: certificates and tokens will be refused")
	}
	if !synchronized {
		return ok(name, detail+", not synchronized by the kernel's account")
	}
	return ok(name, detail+", synchronized")
}

func dmi() Finding {
	const name, path = "DMI", "/sys/class/dmi/id/product_name"
	if _, err := os.Stat(path); err != nil {
		return degraded(name, "this machine has no product name",
			"nothing can be done; client libraries find the metadata server by its address instead")
	}
	return ok(name, "instances read "+contract.ProductName)
}

// Free space below which a disk is too small for most images, and for any.
const (
	goodSpace  = 5 * contract.GiB
	leastSpace = 256 * contract.MiB
)

func disk(dir string) Finding {
	const name = "disk"
	existing := nearestDir(dir)
	var s unix.Statfs_t
	if err := unix.Statfs(existing, &s); err != nil {
		return missing(name, fmt.Sprintf("%s: %v", existing, err), "")
	}
	return judgeDisk(existing, contract.Bytes(s.Bavail)*contract.Bytes(s.Bsize), s.Files > 0 && s.Ffree < 10_000)
}

// nearestDir is dir, or the nearest directory above it that exists.
func nearestDir(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// judgeDisk is the finding about a directory's file system.
func judgeDisk(dir string, free contract.Bytes, fewInodes bool) Finding {
	const name = "disk"
	detail := fmt.Sprintf("%.1f GiB free in %s", float64(free)/float64(contract.GiB), dir)
	advice := "make room, or give another directory with --root"
	switch {
	case free < leastSpace:
		return missing(name, detail, advice)
	case fewInodes:
		return degraded(name, detail+", but hardly an inode", advice)
	case free < goodSpace:
		return degraded(name, detail, advice)
	}
	return ok(name, detail)
}
