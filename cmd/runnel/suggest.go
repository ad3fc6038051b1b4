package main

import "fmt"

// didYouMean is the end of a message about an unknown name: what was probably
// meant, or where to look.
func didYouMean(command, prefix, name string) string {
	if name == "" {
		return fmt.Sprintf("; see %s --help", command)
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, name)
}
