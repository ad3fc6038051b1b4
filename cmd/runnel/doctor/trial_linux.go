package doctor

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errNeedsRoot is why a trial did not take place.
var errNeedsRoot = errors.New("not tried: that needs root")

// inNamespaces calls f on a thread in new namespaces. The thread ends with f,
// and the namespaces with the thread, whatever f has made in them.
func inNamespaces(flags int, f func() error) error {
	if os.Geteuid() != 0 {
		return errNeedsRoot
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else gets this thread
		if err := unix.Unshare(flags); err != nil {
			done <- fmt.Errorf("make namespaces: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}
