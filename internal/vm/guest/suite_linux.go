package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"runnel/internal/vm/wire"
)

// drain is how long the output of a suite is read on after its end: a process
// it left behind may hold the pipe for ever.
const drain = 2 * time.Second

// runSuite runs s to its end, its output on out, and returns its exit status as
// a shell counts it.
func runSuite(s wire.Suite, out io.Writer) (code int, took time.Duration, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		copyLines(out, r)
	}()

	begun := time.Now()
	pid, err := start(s, w)
	w.Close()
	if err != nil {
		r.Close()
		<-copied
		return 0, 0, err
	}
	code, err = reapUntil(pid)
	took = time.Since(begun)
	_ = r.SetReadDeadline(time.Now().Add(drain)) // pipes have deadlines
	<-copied
	return code, took, err
}

// copyLines copies line by line, so that a mark stands between two of them.
func copyLines(w io.Writer, r io.Reader) {
	for in := bufio.NewReader(r); ; {
		// A line that is longer than the buffer goes in pieces.
		line, err := in.ReadSlice('\n')
		_, _ = w.Write(line) // a dead line shows on the host
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return // the end, or a passed deadline
		}
	}
}

// start executes the suite with its output on w and nothing on its input.
func start(s wire.Suite, w *os.File) (pid int, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	return syscall.ForkExec(s.Args[0], s.Args, &syscall.ProcAttr{
		Dir:   s.Dir,
		Env:   s.Env,
		Files: []uintptr{null.Fd(), w.Fd(), w.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// reapUntil reaps whatever ends, as process 1 has to, until pid does.
func reapUntil(pid int) (code int, err error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("wait for process %d: %w", pid, err)
		case got != pid:
			continue
		case status.Signaled():
			return 128 + int(status.Signal()), nil
		}
		return status.ExitStatus(), nil
	}
}
