package server

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"unsafe"

	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/exeseal"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// Main is the whole of the program runnel-shim; it returns the exit status.
func Main(args []string) int {
	if len(args) > 1 && args[1] == "init" {
		libcontainer.Init() // does not return
	}
	flags := flag.NewFlagSet("runnel-shim", flag.ContinueOnError)
	dir := flags.String("dir", "", "the shim's `directory`")
	lifeline := flags.Bool("lifeline", false, "end with the process that holds the other end of the lifeline")
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	if *dir == "" {
		fmt.Fprintln(os.Stderr, "runnel-shim is started by runnel; see runnel run --help")
		return 2
	}
	if err := runSealed(args); err != nil {
		fmt.Fprintln(os.Stderr, "runnel-shim: cannot run from a sealed copy:", err)
		return 1
	}
	// What a container finds has the modes that it is to have, whatever the
	// daemon's umask.
	unix.Umask(0o022)
	if err := heedSignals(); err != nil {
		fmt.Fprintln(os.Stderr, "runnel-shim: cannot serve:", err)
		return 1
	}
	if err := run(*dir, *lifeline); err != nil {
		fmt.Fprintln(os.Stderr, "runnel-shim: cannot serve:", err)
		return 1
	}
	return 0
}

// runSealed replaces this process by the same program in a sealed memory file,
// unless it runs from one already. A container can then never write to the
// program that starts it, and libcontainer need not make a copy at every start.
func runSealed(args []string) error {
	if exeseal.IsSelfExeCloned() {
		return nil
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	sealed, seal, err := exeseal.Memfd("runnel-shim")
	if err != nil {
		return err
	}
	if _, err := io.Copy(sealed, self); err != nil {
		return err
	}
	if err := seal(&sealed); err != nil {
		return err
	}
	return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", sealed.Fd()), args, os.Environ())
}

// run serves on the inherited socket until the lifeline ends, if there is one, or
// the daemon says so.
func run(dir string, lifeline bool) error {
	listener, err := inherited(shim.ListenerFD)
	if err != nil {
		return err
	}
	// The kernel named the process after the descriptor it was executed from.
	name, err := unix.BytePtrFromString("runnel-shim")
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0); err != nil {
		return fmt.Errorf("set process name: %w", err)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	s, err := New(Config{Dir: dir, Listener: listener, Log: log})
	if err != nil {
		return err
	}
	if lifeline {
		line := os.NewFile(shim.LifelineFD, "lifeline")
		unix.CloseOnExec(shim.LifelineFD)
		go func() {
			_, _ = io.Copy(io.Discard, line) // ends when the last holder has gone
			s.Stop()
		}()
	}
	return s.Run()
}

// inherited is the listening socket that came with descriptor fd.
func inherited(fd uintptr) (*net.UnixListener, error) {
	f := os.NewFile(fd, "listener")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("inherit listening socket: %w", err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		return nil, fmt.Errorf("inherit listening socket: it is a %s socket", l.Addr().Network())
	}
	u.SetUnlinkOnClose(false)
	return u, nil
}
