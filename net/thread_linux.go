package net

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs fn on a thread of its own that fn may move to another network
// namespace, and brings the thread back to home afterwards. It waits for fn.
//
// A thread that cannot be brought back is never used again: its goroutine ends
// with the thread still locked, and the Go runtime ends the thread.
func onThread(home *os.File, fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread stays home: /proc/self shows what it sees. While
			// this goroutine holds it, another gets another thread.
			err := onThread(home, fn)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		err := fn()
		if back := enter(home); back != nil {
			if err == nil {
				err = fmt.Errorf("return to the host's network namespace: %w", back)
			}
			done <- err
			return
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// enter moves the calling thread to a network namespace.
func enter(ns *os.File) error {
	return unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
}

// currentNamespace opens the network namespace of the calling thread.
func currentNamespace() (*os.File, error) {
	return os.Open("/proc/thread-self/ns/net")
}

// enterNew moves the calling thread to a new network namespace and opens it.
func enterNew() (*os.File, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("unshare: %w", err)
	}
	return currentNamespace()
}
