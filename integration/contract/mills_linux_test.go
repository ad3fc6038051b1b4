package contract

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// mill is a worker pool of a test's own, which goes at its end.
type mill struct {
	*rig.Daemon
	t    *testing.T
	name string
}

// millOf is the worker pool that is called after a test, not deployed yet.
func millOf(t *testing.T, d *rig.Daemon, more ...string) *mill {
	t.Helper()
	m := &mill{d, t, nameOf(t, more...)}
	t.Cleanup(func() { remove(d, m.call) })
	return m
}

// Scripts of one process that goes on: one that ends when it is told to, and one
// that does not.
const (
	obedient = "mkfifo /line; trap 'echo told to end; exit 0' TERM; read x <>/line"
	sleeper  = "exec sleep 1000000"
)

// deploys deploys a script in the image of the shell.
func (m *mill) deploys(script string, flags ...string) rig.Result {
	m.t.Helper()
	return m.verb("deploy", append([]string{"--image", m.Host.Shell(), "--memory", "128Mi", "--args", "^\x01^" + script}, flags...)...)
}

// pair deploys two containers with scripts.
func (m *mill) pair(first, second string, flags ...string) rig.Result {
	m.t.Helper()
	return m.verb("deploy", append([]string{
		"--container", "a", "--image", m.Host.Shell(), "--memory", "128Mi", "--args", "^\x01^" + first,
		"--container", "b", "--image", m.Host.Shell(), "--memory", "128Mi", "--args", "^\x01^" + second,
	}, flags...)...)
}

// verb runs a verb of worker pools on it.
func (m *mill) verb(verb string, flags ...string) rig.Result {
	m.t.Helper()
	return m.CLI(append([]string{"worker-pools", verb, m.name}, flags...)...)
}

// full is its full name.
func (m *mill) full() string { return here + "/workerPools/" + m.name }

// call sends a request about it, or about what is below it, to version 2 of the API.
func (m *mill) call(method, below, body string) rig.Answer {
	m.t.Helper()
	return apiCall(m.Daemon, method, "/v2/"+m.full()+below, body)
}

// is the worker pool as version 2 of the API has it.
func (m *mill) is() *runpb.WorkerPool {
	m.t.Helper()
	c, err := run.NewWorkerPoolsRESTClient(m.t.Context(), m.REST()...)
	if err != nil {
		m.t.Fatal(err)
	}
	defer c.Close()
	p, err := c.GetWorkerPool(m.t.Context(), &runpb.GetWorkerPoolRequest{Name: m.full()})
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// processes are those of its instances: their environments, by pid.
func (m *mill) processes() map[string]map[string]string {
	m.t.Helper()
	all := map[string]map[string]string{}
	for _, root := range rig.CgroupDirs(m.t, m.Root) {
		_ = filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.Name() != "cgroup.procs" {
				return nil // gone since, or something else
			}
			text, _ := os.ReadFile(file) // as above
			for _, pid := range strings.Fields(string(text)) {
				if env := rig.Environ(pid); all[pid] == nil && env["CLOUD_RUN_WORKER_POOL"] == m.name {
					all[pid] = env
				}
			}
			return nil
		})
		if len(all) > 0 {
			break // the other hierarchies have the same
		}
	}
	return all
}

// number waits until so many processes run, and gives them.
func (m *mill) number(n int) (all map[string]map[string]string) {
	m.t.Helper()
	m.Until(fmt.Sprintf("%d processes of %s run", n, m.name), func() bool {
		all = m.processes()
		return len(all) == n
	})
	return all
}

// runs waits until so many processes run of each revision, by its short name.
func (m *mill) runs(want map[string]int) {
	m.t.Helper()
	m.Until(fmt.Sprintf("%v run", want), func() bool {
		got := map[string]int{}
		for _, env := range m.processes() {
			got[env["CLOUD_RUN_REVISION"]]++
		}
		return maps.Equal(got, want)
	})
}

// line is an entry of Cloud Logging.
type line struct {
	LogName, TextPayload string
	Timestamp            time.Time
	Labels               map[string]string
	Resource             struct {
		Type   string
		Labels map[string]string
	}
}

// lines are the entries of its logs, those of the system too.
func (m *mill) lines() (all []line) {
	m.t.Helper()
	for text := range strings.Lines(apiCall(m.Daemon, http.MethodGet, "/logs/v1/"+m.full()+":stream?system=true", "").Is(m.Host, 200).Body) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			m.t.Fatalf("%v in %s", err, text)
		}
		all = append(all, l)
	}
	return all
}

// text is all that it has printed, and that was said of it.
func (m *mill) text() string {
	m.t.Helper()
	var b strings.Builder
	for _, l := range m.lines() {
		b.WriteString(l.TextPayload + "\n")
	}
	return b.String()
}

// times are when a line that begins so was written.
func (m *mill) times(text string) (at []time.Time) {
	m.t.Helper()
	for _, l := range m.lines() {
		if strings.HasPrefix(l.TextPayload, text) {
			at = append(at, l.Timestamp)
		}
	}
	return at
}

// says waits until a line that begins so has been written n times.
func (m *mill) says(n int, text string) []time.Time {
	m.t.Helper()
	m.Eventually(fmt.Sprintf("%s says %q %d times", m.name, text, n), func() bool { return len(m.times(text)) >= n })
	return m.times(text)
}
