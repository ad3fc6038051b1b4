package testenv

import (
	"runtime"
	"strings"
)

// harmless begin the frames of goroutines that the runtime or the testing
// package starts for itself and keeps.
var harmless = [...]string{
	"created by testing.",
	"created by runtime.",
	"created by os/signal.Notify",
	"testing.(*M).",
	"testing.tRunner",
	"testing.(*T).Run(",
	"os/signal.loop",
	"runnel/internal/testenv.(*Suite).End(", // the main goroutine, after the tests
}

// lookGoroutines adds every goroutine but this one and the harmless ones, by
// its number, which is never used again.
func lookGoroutines(s snapshot) error {
	for i, stack := range strings.Split(allStacks(), "\n\n") {
		// The first stack is the one of the goroutine that asks.
		if i == 0 || isHarmless(stack) {
			continue
		}
		name, _, _ := strings.Cut(stack, " [")
		s.add(name, stack)
	}
	return nil
}

// isHarmless looks at the start of every line of a stack.
func isHarmless(stack string) bool {
	for line := range strings.Lines(stack) {
		for _, frame := range harmless {
			if strings.HasPrefix(line, frame) {
				return true
			}
		}
	}
	return false
}

// allStacks is the dump of every goroutine, however long it is.
func allStacks() string {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return strings.TrimSpace(string(buf[:n]))
		}
	}
}
