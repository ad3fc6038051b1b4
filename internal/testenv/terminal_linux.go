package testenv

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal: what is written to its screen, and who types.
type Terminal struct {
	// Keyboard is the side of a person, TTY that of a program.
	Keyboard, TTY *os.File

	mu     sync.Mutex
	screen bytes.Buffer // guarded by mu
}

// NewTerminal opens a pseudo-terminal of so many columns, which ends with the
// test.
func NewTerminal(t testing.TB, columns uint16) *Terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	term := &Terminal{Keyboard: master, TTY: tty}
	var reading sync.WaitGroup
	reading.Go(term.read)
	t.Cleanup(func() {
		_ = tty.Close()
		reading.Wait()
		_ = master.Close()
	})
	return term
}

// read takes what is written until nobody has the other side any more.
func (x *Terminal) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := x.Keyboard.Read(buffer)
		x.mu.Lock()
		x.screen.Write(buffer[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Shown is all that has been written, without the terminal's carriage returns.
func (x *Terminal) Shown() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.ReplaceAll(x.screen.String(), "\r\n", "\n")
}
