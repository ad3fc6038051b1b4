package contract

import (
	"encoding/json"
	"sync"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// pair is a service of one instance with two containers, of unlike limits, which
// several tests look at.
var pair struct {
	start sync.Once
	up    bool
}

// pairName is its name.
const pairName = "pair-of-two"

// pairUp deploys the pair, once. Its first container takes requests at port 9999
// and the second serves at 8080 beside it. Both see two volumes, one of 16 MiB
// and one without a size.
func pairUp(t *testing.T, d *rig.Daemon) {
	t.Helper()
	pair.start.Do(func() {
		image := d.Host.Inside()
		d.CLI("deploy", pairName, "--allow-unauthenticated", "--no-cpu-boost", "--max-instances", "1", "--timeout", "77",
			"--add-volume", "name=small,type=in-memory,size-limit=16Mi", "--add-volume", "name=half,type=in-memory",
			"--container", "main", "--image", image, "--port", "9999", "--cpu", "0.5", "--memory", "128Mi", "--concurrency", "1", "--depends-on", "side",
			"--add-volume-mount", "volume=small,mount-path=/small", "--add-volume-mount", "volume=half,mount-path=/half",
			"--container", "side", "--image", image, "--args", "serve", "--cpu", "0.4", "--memory", "150Mi", "--startup-probe", "tcpSocket.port=8080,periodSeconds=10",
			"--add-volume-mount", "volume=small,mount-path=/few", "--add-volume-mount", "volume=half,mount-path=/more").Exits(0)
		pair.up = true
	})
	if !pair.up {
		t.Fatal("the pair that several tests look at is not up")
	}
}

// actBeside has the second container of the pair do something.
func actBeside(d *rig.Daemon, action string, into any, takes ...string) {
	d.Host.Helper()
	var ran struct{ Stdout, Stderr string }
	act(d, pairName, "run", &ran, "arg", "wget", "arg", "-qO-", "arg", "http://localhost:8080/"+action+"?"+query(takes))
	if err := json.Unmarshal([]byte(ran.Stdout), into); err != nil {
		d.Host.Fatalf("%v beside: %+v", err, ran)
	}
}

// pairSees are the reports of the two, or sections of them.
func pairSees(d *rig.Daemon, sections string) (main, side *look.Report) {
	d.Host.Helper()
	main, side = new(look.Report), new(look.Report)
	act(d, pairName, "report", main, "only", sections)
	actBeside(d, "report", side, "only", sections)
	return main, side
}
