package testenv

import (
	"os"
	"strings"
)

// IsFirst reports whether a process is the first one of a namespace below this
// one, as what a container executes is. Its number tells nothing of that: numbers
// begin again from the lowest.
func IsFirst(pid string) bool {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return false // ended since
	}
	_, rest, _ := strings.Cut(string(text), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	numbers := strings.Fields(line)
	return len(numbers) > 1 && numbers[len(numbers)-1] == "1"
}
