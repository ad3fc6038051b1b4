package main

import (
	"cmp"
	"context"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"runnel/internal/inside/look"
)

// openFiles opens a file again and again.
func openFiles(_ context.Context, v url.Values) (any, error) {
	most, err := number(v, "most", 1<<20)
	if err != nil {
		return nil, err
	}
	var open []int
	defer func() {
		for _, fd := range open {
			_ = unix.Close(fd) // nothing was written
		}
	}()
	for len(open) < most && err == nil {
		var fd int
		if fd, err = unix.Open(cmp.Or(v.Get("path"), os.DevNull), unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
			open = append(open, fd)
		}
	}
	highest := -1
	if len(open) > 0 {
		highest = open[len(open)-1]
	}
	return map[string]any{"opened": len(open), "highest": highest, "error": outcome(err)}, nil
}

// raise asks for another limit of open files.
func raise(_ context.Context, v url.Values) (any, error) {
	soft, err := number(v, "soft", 0)
	if err != nil {
		return nil, err
	}
	hard, err := number(v, "hard", soft)
	if err != nil {
		return nil, err
	}
	err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(soft), Max: uint64(hard)})
	return map[string]any{"error": outcome(err), "now": look.Limits()["NOFILE"]}, nil
}

// write writes a text and that many mebibytes to a file.
func write(_ context.Context, v url.Values) (any, error) {
	mib, err := number(v, "mib", 0)
	if err != nil {
		return nil, err
	}
	before := look.MemoryUsed()
	var n int64
	f, err := os.Create(v.Get("path"))
	if err == nil {
		n, err = io.Copy(f, io.MultiReader(strings.NewReader(v.Get("text")), io.LimitReader(zeros{}, int64(mib)<<20)))
		err = cmp.Or(err, f.Close())
	}
	return map[string]any{"written": n, "error": outcome(err), "memoryBefore": before, "memoryAfter": look.MemoryUsed()}, nil
}

// zeros is an endless source of bytes.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// read is the beginning of a file.
func read(_ context.Context, v url.Values) (any, error) {
	f, err := os.Open(v.Get("path"))
	if err != nil {
		return map[string]any{"text": "", "error": outcome(err)}, nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return map[string]any{"text": string(text), "error": outcome(err)}, nil
}

// try tries a path.
func try(_ context.Context, v url.Values) (any, error) { return look.Try(v.Get("path")), nil }

// memory takes memory. Who has it gives it back by ending.
func memory(_ context.Context, v url.Values) (any, error) {
	mib, err := number(v, "mib", 0)
	if err != nil {
		return nil, err
	}
	before := look.MemoryUsed()
	for range mib {
		page, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			return map[string]any{"error": outcome(err)}, nil
		}
		for i := 0; i < len(page); i += 4096 {
			page[i] = 1
		}
	}
	return map[string]any{"error": "", "memoryBefore": before, "memoryAfter": look.MemoryUsed()}, nil
}
