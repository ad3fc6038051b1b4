package jobs

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"runnel/api/wire"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/control/controltest"
)

func TestOverTCP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	_ = probe.Close()
	t.Cleanup(w.Listen("tcp", address, wire.Config{Token: "secret"}))
	files := t.TempDir()
	for name, token := range map[string]string{"right": "secret\n", "wrong": "guess"} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url := "http://" + address
	for line, want := range map[string]string{
		"list --host " + url: "runnel jobs list: " + url + " asks for a token; name its file with --token-file or RUNNEL_TOKEN_FILE",
		"list --host " + url + " --token-file " + files + "/wrong": "runnel jobs list: " + url + " does not accept the token",
		"list --host " + url + " --token-file " + files + "/none":  "runnel jobs list: no token: " + files + "/none: no such file or directory",
		"list --host " + url + " --token-file " + files + "/right": "Listed 0 items.",
		"list --host gopher://x":                                   "runnel jobs list: bad host: \"gopher://x\": want unix:///PATH",
		"list --host unix:///nowhere":                              "runnel jobs list: cannot reach the daemon: there is no socket /nowhere; is the daemon running? Start it with: sudo runnel serve",
	} {
		if got := w.do(line); !strings.HasPrefix(got.Stderr, want) {
			t.Errorf("runnel jobs %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	w.must("create etl --image busybox --wait --host " + url + " --token-file " + files + "/right")
	if got := w.must("list --format value(name)"); got != "etl\n" {
		t.Errorf("jobs: %s", got)
	}
}

// A daemon may be started again while a command waits.
func TestWaitSurvivesTheDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	socket := filepath.Join(t.TempDir(), "s")
	stop := w.Listen("unix", socket, wire.Config{})
	w.must("create etl --image busybox")
	w.hang()
	done := make(chan clitest.Outcome)
	var said clitest.Transcript
	go func() { done <- w.in(cli.Env{Stderr: &said}, "execute", "etl", "--wait", "--host", socket) }()
	w.Until("a start that the command knows of", func() bool { return strings.Contains(said.String(), "Starting execution... done") })
	stop()
	w.Restart()
	w.Instances.Release()
	t.Cleanup(w.Listen("unix", socket, wire.Config{}))
	if got := <-done; got.Code != 0 || !strings.Contains(said.String(), "has successfully completed.") {
		t.Errorf("exit %d\n%s", got.Code, said.String())
	}
}

func TestCompletionAsksTheDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox")
	w.must("create hello --image busybox --wait")
	x := w.latest("hello")
	for line, want := range map[string]string{
		"describe ":                                "etl,hello",
		"update ":                                  "etl,hello",
		"execute etl ":                             "",
		"executions describe ":                     x,
		"executions cancel ":                       x,
		"executions list --job ":                   "etl,hello",
		"executions tasks list --execution ":       x,
		"executions tasks describe ":               x + "-task",
		"executions tasks describe " + x + "-task": x + "-task0",
		"create ":                                  "",
		"describe --host unix:///nowhere ":         "",
		"list --format ":                           "csv(,export,json,none,table(,value(,yaml",
	} {
		names := w.Completions("jobs " + line)
		slices.Sort(names)
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

// What is said where no name is said is for the daemon to know.
func TestDefaultPlaceIsTheDaemons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox")
	if got := w.must("list --format value(metadata.namespace,region)"); got != controltest.Project+"\t"+controltest.Region+"\n" {
		t.Errorf("the job is in %s", got)
	}
	w.must("create etl --image busybox --project other --region europe-west1")
	if got := w.must("list --project other --uri"); got != "projects/other/locations/europe-west1/jobs/etl\n" {
		t.Errorf("the other is %s", got)
	}
	if got := w.do("describe etl --region europe-west1"); got.Code != 1 || !strings.Contains(got.Stderr, "in project [local] region [europe-west1]") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	w.must("describe projects/other/locations/europe-west1/jobs/etl")
}
