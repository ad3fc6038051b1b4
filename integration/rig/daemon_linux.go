package rig

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
	"testing"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"runnel/internal/testenv"
)

// Parent is where the tests' resources live.
const Parent = "projects/demo/locations/europe-west1"

// Daemon is a "runnel serve" with a root and addresses of its own. It may be
// killed and started again.
type Daemon struct {
	Host *Host
	// Root is kept between lives; Socket and Address are those of the API.
	Root, Socket, Address string
	// Ingress is where services take requests; empty if nowhere.
	Ingress string

	flags []string
	// Process is its present life.
	Process *Process
}

// Serve starts a daemon, which is stopped when the test ends: whatever runs then
// Is ended, and nothing may be left.
func (h *Host) Serve(flags ...string) *Daemon {
	h.Helper()
	d := &Daemon{Host: h, Root: h.NewRoot(CheckDaemonRoot), flags: flags}
	// A socket's address is short; the test's own directory may not be.
	dir, err := os.MkdirTemp("", "rnl-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) }) // temporary; nobody is left to tell
	d.Socket = filepath.Join(dir, "api.sock")
	d.Address = FreeAddress(h)
	d.Start()
	h.Cleanup(d.Finish)
	return d
}

// For is the same daemon for another test: what goes wrong fails that one.
func (d *Daemon) For(t testing.TB) *Daemon {
	other := *d
	other.Host = d.Host.For(t)
	return &other
}

// FreeAddress is an address of the loopback interface at whose port nobody
// listens, whatever the address: it is below those that the kernel gives to
// connections, one of which may have any other when a daemon comes back to it.
func FreeAddress(h *Host) string {
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

// Launch begins a life of the daemon.
func (d *Daemon) Launch(flags ...string) *Process {
	d.Host.Helper()
	args := append([]string{"serve", "--root", d.Root, "--socket", d.Socket, "--api", d.Address, "--config", os.DevNull, "--ingress", ""}, d.flags...)
	p := d.Host.StartFor(daemonLife, func(*exec.Cmd) {}, append(args, flags...)...)
	return p
}

// daemonLife bounds the life of a daemon: longer than the go command lets tests run.
const daemonLife = time.Hour

// Start begins a life of the daemon and waits until it answers.
func (d *Daemon) Start() {
	d.Host.Helper()
	d.Process = d.Launch()
	d.Ready()
}

// Ready waits until the daemon answers.
func (d *Daemon) Ready() {
	d.Host.Helper()
	deadline := time.Now().Add(Patience())
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	for {
		resp, err := client.Get("http://daemon/healthz")
		if err == nil {
			_ = resp.Body.Close() // it was read for its status
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if d.Process.Ended() {
			d.Host.Fatalf("the daemon has ended\n%s", d.Process.Wait())
		}
		if time.Now().After(deadline) {
			d.Host.Fatalf("the daemon does not answer: %v\n%s", err, d.Process.Stderr)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Kill ends the daemon at once, and nothing else.
func (d *Daemon) Kill() {
	d.Host.Helper()
	d.Host.Kill(d.Process.Cmd.Process.Pid)
	d.Process.Wait()
}

// Stop asks the daemon to end; what runs goes on.
func (d *Daemon) Stop() {
	d.Host.Helper()
	d.Process.Signal(syscall.SIGTERM)
	if r := d.Process.Wait(); r.Code != 0 {
		d.Host.Errorf("the daemon ends with %d\n%s", r.Code, r)
	}
}

// Finish ends the daemon and everything that runs.
func (d *Daemon) Finish() {
	d.Host.Helper()
	if !d.Process.over {
		d.Stop()
	}
	// One that ends its instances with itself takes over, and goes.
	p := d.Launch("--ephemeral")
	d.Process = p
	d.Ready()
	d.Stop()
}

// CLI runs a command of the command line against the daemon.
func (d *Daemon) CLI(args ...string) Result {
	d.Host.Helper()
	return d.Host.StartWith(d.Lead, args...).Wait()
}

// StartCLI begins a command of the command line against the daemon, in the way
// that adjust makes of it.
func (d *Daemon) StartCLI(adjust func(*exec.Cmd), args ...string) *Process {
	d.Host.Helper()
	return d.Host.StartWith(func(c *exec.Cmd) {
		d.Lead(c)
		adjust(c)
	}, args...)
}

// Lead leads a command to the daemon, for StartWith.
func (d *Daemon) Lead(c *exec.Cmd) { c.Env = append(c.Env, d.Environment()...) }

// Environment is what leads the command line to the daemon.
func (d *Daemon) Environment() []string {
	return []string{"RUNNEL_HOST=unix://" + d.Socket, "RUNNEL_TOKEN_FILE="}
}

// Token is what callers over TCP bring.
func (d *Daemon) Token() string {
	d.Host.Helper()
	text, err := os.ReadFile(filepath.Join(d.Root, "api-token"))
	if err != nil {
		d.Host.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// HTTPClient speaks HTTP over the unix socket.
func (d *Daemon) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.Socket)
		},
	}}
}

// REST are options of Google's client libraries to speak REST with the daemon.
func (d *Daemon) REST() []option.ClientOption {
	client := d.HTTPClient()
	d.Host.Cleanup(client.CloseIdleConnections)
	return []option.ClientOption{option.WithEndpoint("http://daemon"), option.WithHTTPClient(client)}
}

// GRPC are options of Google's client libraries to speak gRPC with the daemon.
func (d *Daemon) GRPC() []option.ClientOption {
	d.Host.Helper()
	conn, err := grpc.NewClient("unix:"+d.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = conn.Close() }) // the clients may have closed it
	return []option.ClientOption{option.WithGRPCConn(conn)}
}

// Jobs is Google's Go client of jobs, over REST.
func (d *Daemon) Jobs(ctx context.Context) *run.JobsClient {
	d.Host.Helper()
	c, err := run.NewJobsRESTClient(ctx, d.REST()...)
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// Executions is Google's Go client of executions, over REST.
func (d *Daemon) Executions(ctx context.Context) *run.ExecutionsClient {
	d.Host.Helper()
	c, err := run.NewExecutionsRESTClient(ctx, d.REST()...)
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// Limit is a context for one test.
func (h *Host) Limit(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, fmt.Errorf("%s takes longer than %v", h.Name(), d))
	h.Cleanup(cancel)
	return ctx
}

// Eventually waits for what happens soon.
func (d *Daemon) Eventually(what string, happened func() bool) {
	d.Host.Helper()
	testenv.Eventually(d.Host, Patience(), happened, what)
}

// Until is Eventually for what it costs something to look at, such as a command's
// output: it is looked at a few times a second.
func (d *Daemon) Until(what string, happened func() bool) {
	d.Host.Helper()
	var last time.Time
	d.Eventually(what, func() bool {
		if time.Since(last) < Patience()/400 {
			return false
		}
		defer func() { last = time.Now() }()
		return happened()
	})
}

// Tasks is Google's Go client of tasks, over REST.
func (d *Daemon) Tasks(ctx context.Context) *run.TasksClient {
	d.Host.Helper()
	c, err := run.NewTasksRESTClient(ctx, d.REST()...)
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.Close() }) // as above
	return c
}

// Logs is everything that the tasks of an execution have printed.
func (d *Daemon) Logs(x *runpb.Execution) string {
	d.Host.Helper()
	r := d.CLI("jobs", "executions", "logs", path.Base(x.GetName()), "--region", "europe-west1", "--project", "demo", "--format", "value(textPayload)")
	r.Exits(0)
	return r.Stdout
}

// Begin begins an execution of a job.
func (d *Daemon) Begin(ctx context.Context, job string) *runpb.Execution {
	d.Host.Helper()
	op, err := d.Jobs(ctx).RunJob(ctx, &runpb.RunJobRequest{Name: Parent + "/jobs/" + job})
	if err != nil {
		d.Host.Fatal(err)
	}
	x, err := op.Metadata()
	if err != nil {
		d.Host.Fatal(err)
	}
	return x
}
