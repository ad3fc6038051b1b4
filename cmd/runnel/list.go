package main

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// splitList reads the value of a flag that takes a list, as gcloud does:
// separated by commas, or by what stands between two carets at the beginning.
// An empty value is an empty list.
func splitList(s string) []string {
	if s == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(s, "^"); ok {
		if separator, list, ok := strings.Cut(rest, "^"); ok && separator != "" {
			return strings.Split(list, separator)
		}
	}
	return strings.Split(s, ",")
}

// joinLists reads all values of a flag that was given several times.
func joinLists(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, splitList(v)...)
	}
	return all
}

// parseEnv reads the values of --set-env-vars.
func parseEnv(values []string) ([]*runpb.EnvVar, error) {
	var vars []*runpb.EnvVar
	for _, entry := range joinLists(values) {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, usagef("--set-env-vars %s: want NAME=VALUE", entry)
		}
		vars = append(vars, &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: value}})
	}
	return vars, nil
}
