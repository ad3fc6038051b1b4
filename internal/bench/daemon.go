package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// daemon is a "runnel serve" on a root and a socket of its own. It may be killed
// and started again.
type daemon struct {
	program, root, socket string
	// config is the file of its configuration.
	config  string
	process *exec.Cmd
	// web and wire speak with it: HTTP and gRPC on the unix socket.
	web  *http.Client
	wire *grpc.ClientConn
}

// newDaemon prepares a daemon with an empty root below dir, and settings, in
// YAML.
func newDaemon(c config, dir, settings string) (*daemon, error) {
	program, err := filepath.Abs(filepath.Join(c.bin, "runnel"))
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	d := &daemon{program: program, root: filepath.Join(dir, "root"), socket: filepath.Join(dir, "api.sock"), config: filepath.Join(dir, "config.yaml")}
	if err := write(d.config, settings); err != nil {
		return nil, err
	}
	d.web = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socket)
		},
	}}
	d.wire, err = grpc.NewClient("unix:"+d.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return d, err
}

// start begins a life of the daemon, and says how long it took until it
// answered.
func (d *daemon) start(ctx context.Context, flags ...string) (time.Duration, error) {
	log, err := os.OpenFile(d.socket+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	args := append([]string{"serve", "--root", d.root, "--socket", d.socket, "--api=", "--config", d.config}, flags...)
	process := exec.Command(d.program, args...)
	process.Stderr = log
	begun := time.Now()
	if err := process.Start(); err != nil {
		return 0, err
	}
	d.process = process // from here on there is something to end
	err = untilEvery(ctx, time.Millisecond, d.answers)
	took := time.Since(begun)
	if err != nil {
		text, _ := os.ReadFile(log.Name()) // without it the error tells less
		return 0, fmt.Errorf("the daemon does not answer: %w\n%s", err, text)
	}
	return took, nil
}

func (d *daemon) answers() bool {
	resp, err := d.web.Get("http://daemon/healthz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // it was read for its status
	return resp.StatusCode == http.StatusOK
}

// kill ends the daemon at once, and nothing else.
func (d *daemon) kill() { d.end(syscall.SIGKILL) }

// stop asks the daemon to end; what runs goes on.
func (d *daemon) stop() { d.end(syscall.SIGTERM) }

// end sends a signal and waits. How the daemon ends is no matter: whether it
// has done what it should is seen by the next one.
func (d *daemon) end(s syscall.Signal) {
	if d.process == nil {
		return
	}
	_ = d.process.Process.Signal(s)
	_ = d.process.Wait()
	d.process = nil
	d.web.CloseIdleConnections()
}

// close ends the daemon and everything that it runs.
func (d *daemon) close() error {
	if d.process == nil {
		return d.wire.Close()
	}
	d.stop()
	// One that ends its instances with itself takes over, and goes.
	_, err := d.start(context.Background(), "--ephemeral")
	d.stop()
	return errors.Join(err, d.wire.Close())
}
