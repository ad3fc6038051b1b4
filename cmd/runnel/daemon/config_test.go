package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigIsValidWhereNothingIsSaid(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestReadConfigLaysTheFileOverTheDefaults(t *testing.T) {
	t.Parallel()
	c, err := ReadConfig(configFile(t, "project: mine\nexecutions: {keep: 5}\ntls: {generate: true, hosts: [build.lan]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := DefaultConfig()
	if c.Project != "mine" || c.Executions.Keep != 5 || c.Executions.Running != d.Executions.Running || c.Region != d.Region {
		t.Errorf("%+v", c)
	}
	if !c.TLS.On() || len(c.TLS.Hosts) != 1 || d.TLS.On() {
		t.Errorf("TLS: %+v", c.TLS)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"a field it does not know": configFile(t, "projct: mine\n"),
		"a field twice":            configFile(t, "project: a\nproject: b\n"),
		"a wrong type":             configFile(t, "executions: {keep: many}\n"),
		"a file that is not there": filepath.Join(t.TempDir(), "none.yaml"),
		"a file of 2 MiB":          configFile(t, strings.Repeat("# nothing\n", 1<<18)),
	} {
		if _, err := ReadConfig(file); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestValidateNamesEachField(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*Config){
		"root":               func(c *Config) { c.Root = "relative" },
		"api":                func(c *Config) { c.API = "8787" },
		"socket":             func(c *Config) { c.Socket = "runnel.sock" },
		"project":            func(c *Config) { c.Project = "No Project" },
		"projectNumber":      func(c *Config) { c.ProjectNumber = "one" },
		"region":             func(c *Config) { c.Region = "" },
		"serviceAccount":     func(c *Config) { c.ServiceAccount = "nobody" },
		"tls":                func(c *Config) { c.TLS.Cert = "/cert.pem" },
		"executions.keep":    func(c *Config) { c.Executions.Keep = 0 },
		"executions.running": func(c *Config) { c.Executions.Running = -1 },
		"logs.perInstance":   func(c *Config) { c.Logs.PerInstance = "1Ki" },
		"logs.total":         func(c *Config) { c.Logs.Total = "much" },
	} {
		c := DefaultConfig()
		spoil(&c)
		err := c.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", field, err)
		}
	}
	c := DefaultConfig()
	c.API, c.Socket = "", ""
	if c.Validate() == nil {
		t.Error("nothing to listen on is taken")
	}
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
