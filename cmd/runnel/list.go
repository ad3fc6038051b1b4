package main

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
)

// parseEnv reads the values of --set-env-vars.
func parseEnv(values []string) ([]*runpb.EnvVar, error) {
	pairs, err := cli.Pairs("set-env-vars", values)
	if err != nil {
		return nil, err
	}
	var vars []*runpb.EnvVar
	for _, p := range pairs {
		vars = append(vars, &runpb.EnvVar{Name: p.Name, Values: &runpb.EnvVar_Value{Value: p.Value}})
	}
	return vars, nil
}
