package scheduler

import (
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// Environ is a container's own variables as NAME=value, each name once: the
// last of several wins, in the place of the first.
func Environ(vars []*runpb.EnvVar) ([]string, error) {
	place := make(map[string]int, len(vars))
	env := make([]string, 0, len(vars))
	for _, v := range vars {
		if v.GetValueSource() != nil {
			return nil, fmt.Errorf("environment variable %s: values from secrets are not supported", v.GetName())
		}
		entry := v.GetName() + "=" + v.GetValue()
		if i, ok := place[v.GetName()]; ok {
			env[i] = entry
			continue
		}
		place[v.GetName()] = len(env)
		env = append(env, entry)
	}
	return env, nil
}

// Needs is what a container with these limits takes of the host; where one is not
// said, its default holds.
func Needs(limits map[string]string) (Resources, error) {
	need := Resources{CPU: contract.DefaultCPU, Memory: contract.DefaultMemory}
	var err error
	if s := limits["cpu"]; s != "" {
		if need.CPU, err = contract.ParseCPU(s); err != nil {
			return need, fmt.Errorf("cpu limit: %w", err)
		}
	}
	if s := limits["memory"]; s != "" {
		if need.Memory, err = contract.ParseBytes(s); err != nil {
			return need, fmt.Errorf("memory limit: %w", err)
		}
	}
	return need, nil
}
