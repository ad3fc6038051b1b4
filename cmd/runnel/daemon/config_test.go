package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
	"runnel/scheduler"
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

// What is wrong is told in the file's words, as a mistake in usage.
func TestReadConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"projct: mine":             "projct: unknown field; did you mean project?",
		"executions: {kep: 3}":     "kep: unknown field; did you mean keep?",
		"frobnicate: 1":            "frobnicate: unknown field; see runnel serve --help",
		"executions: {keep: many}": "executions.keep: want a whole number, not a string",
		"tls: {hosts: a}":          "tls.hosts: want a list, not a string",
		"region: [a]":              "region: want text, not a list",
		"just text":                "want fields and their values, not a string",
		"project: a\nproject: b":   "not valid YAML: ",
		"api: [":                   "not valid YAML: line 1: did not find expected node content",
	} {
		file := configFile(t, text)
		_, err := ReadConfig(file)
		if err == nil || !strings.HasPrefix(err.Error(), file+": "+want) || strings.Contains(err.Error(), "\n") || cli.ExitCode(err) != cli.ExitUsage {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "{}", "projectNumber: 12"} {
		if c, err := ReadConfig(configFile(t, text)); err != nil || c.Root != DefaultConfig().Root {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTrustedHostsHaveAPort(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Images.TrustedHosts = []string{"gitlab.lan:443", "[fd00::1]:5000"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"", "gitlab.lan", ":443", "gitlab.lan:", "gitlab.lan:0", "gitlab.lan:https", "https://gitlab.lan:443"} {
		c.Images.TrustedHosts = []string{host}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "images.trustedHosts: ") {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestCapacityOverridesTheHosts(t *testing.T) {
	t.Parallel()
	host := scheduler.Resources{CPU: 2000, Memory: contract.GiB}
	if got := (CapacityConfig{}).override(host); got != host {
		t.Errorf("got %v", got)
	}
	if got := (CapacityConfig{CPU: "4", Memory: "16Gi"}).override(host); got.CPU != 4000 || got.Memory != 16*contract.GiB {
		t.Errorf("got %v", got)
	}
}

func TestIdleTimeIsASecondToAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"1s": time.Second, "90s": 90 * time.Second, "15m": contract.IdleTime} {
		if got, err := (ServicesConfig{IdleTime: text}).idleTime(); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0s", "999ms", "15m1s", "-1m", "15", "soon"} {
		if _, err := (ServicesConfig{IdleTime: text}).idleTime(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestIngressDomains(t *testing.T) {
	t.Parallel()
	if got := (IngressConfig{Domain: "example.com"}).domains(); !slices.Equal(got, []string{"example.com", innerDomain}) {
		t.Errorf("got %q", got)
	}
	if got := (IngressConfig{Domain: innerDomain}).domains(); !slices.Equal(got, []string{innerDomain}) {
		t.Errorf("got %q", got)
	}
	if got := (IngressConfig{Address: ":8080", TLSAddress: "127.0.0.1:8443"}).ports(); !slices.Equal(got, []uint16{8080, 8443}) {
		t.Errorf("got %v", got)
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
		"root":                    func(c *Config) { c.Root = "relative" },
		"api":                     func(c *Config) { c.API = "8787" },
		"ingress.address":         func(c *Config) { c.Ingress.Address = "8080" },
		"ingress.tlsAddress":      func(c *Config) { c.Ingress.TLSAddress = "8443" },
		"ingress.domain":          func(c *Config) { c.Ingress.Domain = "Run.localhost" },
		"ingress.domains":         func(c *Config) { c.Ingress.Domains = map[string]string{"www..com": "hello"} },
		"ingress.tls":             func(c *Config) { c.Ingress.TLS.Cert = "/a" },
		"ingress.tls.acme.accept": func(c *Config) { c.Ingress.TLS.ACME.Email = "me@example.com" },
		"services.idleTime":       func(c *Config) { c.Services.IdleTime = "16m" },
		"capacity.cpu":            func(c *Config) { c.Capacity.CPU = "none" },
		"capacity.memory":         func(c *Config) { c.Capacity.Memory = "-1" },
		"socket":                  func(c *Config) { c.Socket = "runnel.sock" },
		"project":                 func(c *Config) { c.Project = "No Project" },
		"projectNumber":           func(c *Config) { c.ProjectNumber = "one" },
		"region":                  func(c *Config) { c.Region = "" },
		"serviceAccount":          func(c *Config) { c.ServiceAccount = "nobody" },
		"tls":                     func(c *Config) { c.TLS.Cert = "/cert.pem" },
		"executions.keep":         func(c *Config) { c.Executions.Keep = 0 },
		"kf.keepTasks":            func(c *Config) { c.Kf.KeepTasks = 0 },
		"kf.env":                  func(c *Config) { c.Kf.Env = map[string]string{"K_SERVICE": "x"} },
		"executions.running":      func(c *Config) { c.Executions.Running = -1 },
		"logs.perInstance":        func(c *Config) { c.Logs.PerInstance = "1Ki" },
		"logs.total":              func(c *Config) { c.Logs.Total = "much" },
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
