package cli

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// System is a process's surroundings: its streams, its environment, and the
// signals that ask it to stop.
func System(stdin, stdout, stderr *os.File, getenv func(string) string, signals <-chan os.Signal) Env {
	capable := getenv("TERM") != "dumb"
	display := isTerminal(stdout)
	return Env{
		Stdin:    stdin,
		Stdout:   stdout,
		Stderr:   stderr,
		Screen:   isTerminal(stderr) && capable,
		Columns:  columns(stderr),
		Display:  display,
		Color:    display && capable && getenv("NO_COLOR") == "",
		Unicode:  unicodeLocale(getenv),
		Attended: isTerminal(stdin) && isTerminal(stderr),
		Signals:  signals,
		Getenv:   getenv,
	}
}

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// columns is how wide the terminal f is, 0 if it is none.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// unicodeLocale reports whether the locale's character set is UTF-8.
func unicodeLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
