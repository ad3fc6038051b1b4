package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"runnel/internal/testenv"
)

// parent is where the tests' resources live.
const parent = "projects/demo/locations/europe-west1"

// daemon is a "runnel serve" with a root and addresses of its own. It may be
// killed and started again.
type daemon struct {
	h *host
	// root is kept between lives; socket and address are those of the API.
	root, socket, address string
	// ingress is where services take requests; empty if nowhere.
	ingress string
	flags   []string
	process *process
}

// serve starts a daemon, which is stopped when the test ends: whatever runs then
// is ended, and nothing may be left.
func (h *host) serve(flags ...string) *daemon {
	h.Helper()
	d := &daemon{h: h, root: h.newRoot(checkDaemonRoot), flags: flags}
	// A socket's address is short; the test's own directory may not be.
	dir, err := os.MkdirTemp("", "rnl-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) }) // temporary; nobody is left to tell
	d.socket = filepath.Join(dir, "api.sock")
	d.address = freeAddress(h)
	d.start()
	h.Cleanup(d.finish)
	return d
}

// freeAddress is an address of the loopback interface at whose port nobody
// listens, whatever the address: it is below those that the kernel gives to
// connections, one of which may have any other when a daemon comes back to it.
func freeAddress(h *host) string {
	h.Helper()
	for {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp", ":"+port)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			h.Fatal(err)
		}
		if err := l.Close(); err != nil {
			h.Fatal(err)
		}
		return net.JoinHostPort("127.0.0.1", port)
	}
}

// launch begins a life of the daemon.
func (d *daemon) launch(flags ...string) *process {
	d.h.Helper()
	args := append([]string{"serve", "--root", d.root, "--socket", d.socket, "--api", d.address, "--config", os.DevNull, "--ingress", ""}, d.flags...)
	p := d.h.startFor(daemonLife, func(*exec.Cmd) {}, append(args, flags...)...)
	return p
}

// daemonLife bounds the life of a daemon.
const daemonLife = 30 * time.Minute

// start begins a life of the daemon and waits until it answers.
func (d *daemon) start() {
	d.h.Helper()
	d.process = d.launch()
	d.ready()
}

// ready waits until the daemon answers.
func (d *daemon) ready() {
	d.h.Helper()
	deadline := time.Now().Add(patience())
	client := d.httpClient()
	defer client.CloseIdleConnections()
	for {
		resp, err := client.Get("http://daemon/healthz")
		if err == nil {
			_ = resp.Body.Close() // it was read for its status
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if d.process.ended() {
			d.h.Fatalf("the daemon has ended\n%s", d.process.wait())
		}
		if time.Now().After(deadline) {
			d.h.Fatalf("the daemon does not answer: %v\n%s", err, d.process.stderr)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// kill ends the daemon at once, and nothing else.
func (d *daemon) kill() {
	d.h.Helper()
	d.h.kill(d.process.cmd.Process.Pid)
	d.process.wait()
}

// stop asks the daemon to end; what runs goes on.
func (d *daemon) stop() {
	d.h.Helper()
	d.process.signal(syscall.SIGTERM)
	if r := d.process.wait(); r.code != 0 {
		d.h.Errorf("the daemon ends with %d\n%s", r.code, r)
	}
}

// finish ends the daemon and everything that runs.
func (d *daemon) finish() {
	d.h.Helper()
	if !d.process.over {
		d.stop()
	}
	// One that ends its instances with itself takes over, and goes.
	p := d.launch("--ephemeral")
	d.process = p
	d.ready()
	d.stop()
}

// cli runs a command of the command line against the daemon.
func (d *daemon) cli(args ...string) result {
	d.h.Helper()
	return d.h.startWith(func(c *exec.Cmd) { c.Env = append(c.Env, d.environment()...) }, args...).wait()
}

func (d *daemon) environment() []string {
	return []string{"RUNNEL_HOST=unix://" + d.socket, "RUNNEL_TOKEN_FILE="}
}

// token is what callers over TCP bring.
func (d *daemon) token() string {
	d.h.Helper()
	text, err := os.ReadFile(filepath.Join(d.root, "api-token"))
	if err != nil {
		d.h.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// httpClient speaks HTTP over the unix socket.
func (d *daemon) httpClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socket)
		},
	}}
}

// rest are options of Google's client libraries to speak REST with the daemon.
func (d *daemon) rest() []option.ClientOption {
	client := d.httpClient()
	d.h.Cleanup(client.CloseIdleConnections)
	return []option.ClientOption{option.WithEndpoint("http://daemon"), option.WithHTTPClient(client)}
}

// grpc are options of Google's client libraries to speak gRPC with the daemon.
func (d *daemon) grpc() []option.ClientOption {
	d.h.Helper()
	conn, err := grpc.NewClient("unix:"+d.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = conn.Close() }) // the clients may have closed it
	return []option.ClientOption{option.WithGRPCConn(conn)}
}

// jobs is Google's Go client of jobs, over REST.
func (d *daemon) jobs(ctx context.Context) *run.JobsClient {
	d.h.Helper()
	c, err := run.NewJobsRESTClient(ctx, d.rest()...)
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// executions is Google's Go client of executions, over REST.
func (d *daemon) executions(ctx context.Context) *run.ExecutionsClient {
	d.h.Helper()
	c, err := run.NewExecutionsRESTClient(ctx, d.rest()...)
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// limit is a context for one test.
func (h *host) limit(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, fmt.Errorf("%s takes longer than %v", h.Name(), d))
	h.Cleanup(cancel)
	return ctx
}

// eventually waits for what happens soon.
func (d *daemon) eventually(what string, happened func() bool) {
	d.h.Helper()
	testenv.Eventually(d.h.T, patience(), happened, what)
}

// tasks is Google's Go client of tasks, over REST.
func (d *daemon) tasks(ctx context.Context) *run.TasksClient {
	d.h.Helper()
	c, err := run.NewTasksRESTClient(ctx, d.rest()...)
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// logs is everything that the tasks of an execution have printed.
func (d *daemon) logs(x *runpb.Execution) string {
	d.h.Helper()
	r := d.cli("jobs", "executions", "logs", path.Base(x.GetName()), "--region", "europe-west1", "--project", "demo", "--format", "value(textPayload)")
	r.exits(0)
	return r.stdout
}

// begin begins an execution of a job.
func (d *daemon) begin(ctx context.Context, job string) *runpb.Execution {
	d.h.Helper()
	op, err := d.jobs(ctx).RunJob(ctx, &runpb.RunJobRequest{Name: parent + "/jobs/" + job})
	if err != nil {
		d.h.Fatal(err)
	}
	x, err := op.Metadata()
	if err != nil {
		d.h.Fatal(err)
	}
	return x
}
