package main

import (
	"fmt"
	"slices"

	"runnel/api"
)

// meant is the flag that an unknown one probably stands for: what docker,
// kubectl or other commands of gcloud call it, or a misspelling.
func meant(name string, flags []string) string {
	elsewhere := map[string]string{
		"env": "set-env-vars", "env-vars": "set-env-vars", "environment": "set-env-vars",
		"timeout": "task-timeout", "retries": "max-retries", "task-count": "tasks",
		"entrypoint": "command", "cpus": "cpu", "output": "format",
	}
	if flag := elsewhere[name]; slices.Contains(flags, flag) {
		return flag
	}
	return api.Nearest(name, flags)
}

// didYouMean is the end of a message about an unknown name: what was probably
// meant, or where to look.
func didYouMean(command, prefix, name string) string {
	if name == "" {
		return fmt.Sprintf("; see %s --help", command)
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, name)
}
