package api

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// env checks a container's variables. A name may appear twice, the last one
// wins, unless a secret is behind it.
func (c *checker) env(path string, env []*runpb.EnvVar) {
	if len(env) > contract.MaxEnvVars {
		c.add(path, "has %d variables: want at most %d", len(env), contract.MaxEnvVars)
	}
	times := map[string]int{}
	for _, v := range env {
		times[v.GetName()]++
	}
	for i, v := range env {
		at := index(path, i)
		c.envName(at+".name", v.GetName())
		if v.GetValueSource() != nil {
			c.add(at+".valueSource", "secrets are not supported yet: want a plain value")
			if times[v.GetName()] > 1 {
				c.add(at+".name", "%q is set more than once: a variable from a secret must be set only once", v.GetName())
			}
		}
		if n := len(v.GetValue()); n > contract.MaxEnvValue {
			c.add(at+".value", "has %d bytes: want at most %d", n, contract.MaxEnvValue)
		}
		if strings.Contains(v.GetValue(), "\x00") {
			c.add(at+".value", "holds a zero byte, which no variable can")
		}
	}
}

// envName checks the name of a variable.
func (c *checker) envName(path, name string) {
	switch {
	case name == "":
		c.add(path, "is missing: want the variable's name")
	case len(name) > contract.MaxEnvName:
		c.add(path, "has %d bytes: want at most %d", len(name), contract.MaxEnvName)
	case strings.ContainsAny(name, "=\x00"):
		c.add(path, "%q is not the name of a variable: it holds %q", name, name[strings.IndexAny(name, "=\x00")])
	case contract.ReservedEnv(name):
		c.add(path, "%q is reserved: the platform sets PORT and everything that begins with K_, CLOUD_RUN_ or X_GOOGLE_", name)
	}
}
