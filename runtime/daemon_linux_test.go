package runtime_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdnet "net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/internal/testenv"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
	rruntime "runnel/runtime"
)

// envDaemon makes this binary play a daemon, see playDaemon: the daemon's root
// in JSON.
const envDaemon = "RUNNEL_TEST_DAEMON"

// root is what all daemons of one test, in this process and in others, share.
type root struct {
	Dir, Shim, Parent string
	Image             *rimage.Image
	t                 testing.TB
}

// daemon is a launcher and its network.
type daemon struct {
	*rruntime.Launcher
	network *rnet.Network
}

// newRoot is a root on which no daemon has lived. Before the test ends the last
// of its daemons has to end it, see lastDaemon.
func newRoot(t testing.TB) *root {
	t.Helper()
	testenv.Root(t)
	testenv.NoLeaks(t)
	return &root{
		Dir: t.TempDir(), Shim: testenv.Binary(t, "runnel-shim"),
		Parent: testenv.CgroupParent(t) + "/root", Image: busyboxImage(t), t: t,
	}
}

// open brings up a daemon.
func (r *root) open(ephemeral bool) (*daemon, error) {
	network := rnet.New(rnet.Config{Name: "test"})
	if err := network.Resume(context.Background()); err != nil {
		return nil, err
	}
	signer, err := metadata.LoadOrCreateSigner(filepath.Join(r.Dir, "key"))
	if err != nil {
		return nil, errors.Join(err, network.Leave())
	}
	launcher, err := rruntime.Open(rruntime.Config{
		Dir: r.Dir, ShimBinary: r.Shim, Ephemeral: ephemeral, CgroupParent: r.Parent, Network: network,
		Metadata: metadata.New(metadata.Config{Tokens: signer}),
		Resolver: dns.New(dns.Config{Hosts: map[string]netip.Addr{contract.MetadataHost: netip.MustParseAddr(contract.MetadataAddress)}}),
	})
	if err != nil {
		return nil, errors.Join(err, network.Leave())
	}
	return &daemon{launcher, network}, nil
}

// close ends a daemon in order.
func (d *daemon) close() error { return errors.Join(d.Launcher.Close(), d.network.Close()) }

// nextDaemon is a daemon in this process, which the test closes at its end if not
// before.
func (r *root) nextDaemon() *daemon {
	r.t.Helper()
	d, err := r.open(false)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = d.close() }) // a second time in most cases
	return d
}

// lastDaemon is one that takes everything down when the test ends.
func (r *root) lastDaemon() *daemon {
	r.t.Helper()
	d := r.nextDaemon()
	r.t.Cleanup(func() {
		if err := d.EndSurvivors(context.Background()); err != nil {
			r.t.Error(err)
		}
		if !d.Idle() {
			r.t.Error("an instance is left")
		}
		if err := d.close(); err != nil {
			r.t.Error(err)
		}
		if log, _ := os.ReadFile(filepath.Join(r.Dir, "shim", "shim.log")); len(log) > 0 {
			r.t.Logf("shim log:\n%s", log)
		}
	})
	return d
}

// nextContainer ends the script of one container, and begins that of another, in
// what spec takes.
const nextContainer = "\n---\n"

// spec is an instance that runs a shell script, or several, each in a container.
func (r *root) spec(id, scripts string) rruntime.Spec {
	var containers []rruntime.Container
	for script := range strings.SplitSeq(scripts, nextContainer) {
		containers = append(containers, rruntime.Container{
			Name:    fmt.Sprint("c", len(containers)),
			Image:   r.Image,
			Command: []string{"/bin/sh", "-c", script},
			Limits:  cgroups.Limits{CPU: 1000, Memory: 128 * contract.MiB, PIDs: 200},
		})
	}
	return rruntime.Spec{
		ID:         id,
		Containers: containers,
		Identity: metadata.Identity{
			InstanceID: "id-of-" + id, ProjectID: "local", ProjectNumber: "1", Region: "us-central1",
			ServiceAccount: "me@local.iam.gserviceaccount.com",
		},
	}
}

// order is what a test tells a daemon that plays in another process.
type order struct{ Do, ID, Script string }

// player is such a daemon.
type player struct {
	t       testing.TB
	cmd     *exec.Cmd
	orders  *json.Encoder
	answers *bufio.Reader
}

// play starts a daemon in a process of its own, which is killed when the test
// ends if not before.
func (r *root) play() *player {
	r.t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		r.t.Fatal(err)
	}
	p := &player{t: r.t, cmd: exec.Command("/proc/self/exe")}
	p.cmd.Env = append(os.Environ(), envDaemon+"="+string(text))
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	p.orders, p.answers = json.NewEncoder(in), bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.kill)
	p.answer()
	return p
}

// kill ends the process as kill -9 does.
func (p *player) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()         // as it was told
}

// do has an order carried out and returns the answer.
func (p *player) do(what, id, script string) string {
	p.t.Helper()
	if err := p.orders.Encode(order{what, id, script}); err != nil {
		p.t.Fatal(err)
	}
	return p.answer()
}

func (p *player) answer() string {
	p.t.Helper()
	line, err := p.answers.ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error") {
		p.kill()
		p.t.Fatalf("the daemon answers %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// playDaemon carries out orders from standard input until that ends.
func playDaemon(text string) int {
	r := new(root)
	say := func(answer string, err error) {
		if err != nil {
			answer = "error " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Println(answer)
	}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		say("", err)
		return 1
	}
	d, err := r.open(false)
	say("open", err)
	if err != nil {
		return 1
	}
	instances := map[string]*rruntime.Instance{}
	orders := json.NewDecoder(os.Stdin)
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return 1
		}
		say(d.obey(r, o, instances))
		if o.Do == "close" {
			return 0
		}
	}
}

// obey carries out one order.
func (d *daemon) obey(r *root, o order, instances map[string]*rruntime.Instance) (answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch o.Do {
	case "create":
		instances[o.ID], err = d.Create(ctx, r.spec(o.ID, o.Script))
	case "start":
		err = instances[o.ID].Start(ctx)
	case "start-first":
		err = instances[o.ID].StartContainer(ctx, 0)
	case "address":
		answer = instances[o.ID].Addr().String()
	case "wait":
		var e rruntime.Exit
		e, err = instances[o.ID].Wait(ctx)
		answer = fmt.Sprint(e.Code)
	case "hold":
		return d.holdListener(ctx, o.ID)
	case "churn":
		for n := range 3 {
			go d.churn(r, fmt.Sprint(o.ID, n))
		}
	case "shim":
		answer = fmt.Sprint(d.KeeperPID())
	case "close":
		err = d.close()
	}
	return answer, err
}

// churn carries instances through their lives until the process ends.
func (d *daemon) churn(r *root, prefix string) {
	ctx := context.Background()
	for n := 0; ; n++ {
		i, err := d.Create(ctx, r.spec(fmt.Sprintf("%s-%d", prefix, n), "exit 0"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "churn:", err)
			return
		}
		_ = i.Start(ctx)
		if n%3 > 0 {
			_, _ = i.Wait(ctx)
		}
		_ = i.Delete(ctx)
	}
}

// holdListener has the shim keep a listener on the loopback interface, and
// returns its address.
func (d *daemon) holdListener(ctx context.Context, name string) (string, error) {
	l, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), d.Hold(ctx, name, l.(*stdnet.TCPListener))
}
