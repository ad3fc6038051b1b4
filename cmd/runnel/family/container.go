package family

import (
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
)

// SetLimit sets one of the limits of c, "" removes it.
func SetLimit(c *runpb.Container, name, value string) {
	if c.Resources == nil {
		c.Resources = &runpb.ResourceRequirements{}
	}
	if c.Resources.Limits == nil {
		c.Resources.Limits = map[string]string{}
	}
	if value == "" {
		delete(c.Resources.Limits, name)
		return
	}
	c.Resources.Limits[name] = value
}

// ApplyEnv changes the environment of c: it becomes that of the file, if there is
// one, or what the flags of m make of it. Variables keep their place, new ones
// come last.
func ApplyEnv(c *runpb.Container, m *Mapping, file string) error {
	if file != "" {
		pairs, err := EnvFile(file)
		if err != nil {
			return err
		}
		c.Env = MergeEnv(nil, pairs)
		return nil
	}
	if m.Clears() {
		c.Env = nil
	}
	c.Env = slices.DeleteFunc(c.Env, func(v *runpb.EnvVar) bool { return slices.Contains(m.Removed(), v.GetName()) })
	c.Env = MergeEnv(c.Env, m.Pairs())
	return nil
}

// MergeEnv sets variables in env.
func MergeEnv(env []*runpb.EnvVar, pairs []cli.Pair) []*runpb.EnvVar {
	for _, p := range pairs {
		v := &runpb.EnvVar{Name: p.Name, Values: &runpb.EnvVar_Value{Value: p.Value}}
		if i := slices.IndexFunc(env, func(v *runpb.EnvVar) bool { return v.GetName() == p.Name }); i >= 0 {
			env[i] = v
			continue
		}
		env = append(env, v)
	}
	return env
}
