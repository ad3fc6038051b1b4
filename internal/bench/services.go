package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// ingressAddress is where the daemon takes requests: a network namespace of its
// own has every port.
const ingressAddress = "127.0.0.1:8080"

// serviceSettings are those of a daemon whose services are measured: their
// instances use much less memory than they may, and are kept for idle.
func serviceSettings(idle string) string {
	return "project: bench\nregion: europe-west1\ningress: {address: \"" + ingressAddress + "\"}\n" +
		"capacity: {memory: 1Ti}\nservices: {idleTime: " + idle + "}\n"
}

// serviceTrialsOf are the questions about services, in their order.
func serviceTrialsOf() []trial {
	var z zero
	var b bursts
	var p proxied
	var k bulk
	var m many
	var h handovers
	return []trial{
		{"zero", serverName, serviceSettings("1s"), z.round, z.print},
		{"burst", serverName, serviceSettings("4s"), b.round, b.print},
		{"proxy", serverName, serviceSettings("15m"), p.round, p.print},
		{"bulk", serverName, serviceSettings("15m"), k.round, k.print},
		{"many", serverName, serviceSettings("15m"), m.round, m.print},
		{"handover", serverName, serviceSettings("15m"), h.round, h.print},
	}
}

// deployment is a service that differs from others in this.
type deployment struct {
	name, image, cpu, memory string
	// least and most bound its instances; fixed is how many there are, if not 0.
	least, most, fixed int
	concurrency        int
	// always gives its instances their CPU between requests too.
	always bool
}

// deploy makes a service that everybody may call, and waits until it is ready.
func (d *daemon) deploy(ctx context.Context, s deployment) error {
	container := map[string]any{
		"image":     s.image,
		"resources": map[string]any{"limits": map[string]string{"cpu": s.cpu, "memory": s.memory}, "cpuIdle": !s.always},
	}
	body := map[string]any{
		"invokerIamDisabled": true,
		"template": map[string]any{
			"containers":                    []any{container},
			"maxInstanceRequestConcurrency": s.concurrency,
			"scaling":                       map[string]any{"minInstanceCount": s.least, "maxInstanceCount": s.most},
		},
	}
	if s.fixed > 0 {
		body["scaling"] = map[string]any{"scalingMode": "MANUAL", "manualInstanceCount": s.fixed}
	}
	return d.carryOut(ctx, http.MethodPost, parent+"/services?serviceId="+s.name, body)
}

// hostOf is the host of a service.
func hostOf(service string) string { return service + ".run.localhost" }

// request is what a client sends, whole.
func request(host string) string {
	return "GET / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
}

// firstByte connects, asks, and returns when the first byte of a good answer is
// there.
func firstByte(ctx context.Context, address, host string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(daemonLimit)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, request(host)); err != nil {
		return err
	}
	var head [64]byte
	n, err := io.ReadAtLeast(c, head[:], len("HTTP/1.1 200"))
	if err != nil {
		return err
	}
	if got := string(head[:n]); !strings.HasPrefix(got, "HTTP/1.1 200") {
		return fmt.Errorf("%s answers %q", host, got)
	}
	return nil
}

// fetch reads the answer of a service to a path.
func fetch(ctx context.Context, address, host, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s%s: %s: %s", host, path, resp.Status, text)
	}
	return string(text), err
}

// servers are the processes of instances that run.
func (d *daemon) servers() (running []int, err error) {
	all, err := d.shimChildren()
	if err != nil {
		return nil, err
	}
	for _, pid := range all {
		if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(comm) == "server\n" { // it may be gone by now
			running = append(running, pid)
		}
	}
	return running, nil
}

// shimChildren are the first processes of all containers, also of those that
// have not been started.
func (d *daemon) shimChildren() ([]int, error) {
	shim, err := d.shim()
	if err != nil {
		return nil, err
	}
	return childrenOf(shim)
}

// atZero waits until no instance runs, and the next one only has to be started.
func (d *daemon) atZero(ctx context.Context) error {
	var failure error
	calm := 0
	err := untilEvery(ctx, 20*time.Millisecond, func() bool {
		all, err := d.shimChildren()
		running, err2 := d.servers()
		if failure = err; failure == nil {
			failure = err2
		}
		if calm++; len(all) != 1 || len(running) != 0 {
			calm = 0
		}
		return failure != nil || calm == 10
	})
	if failure != nil {
		return failure
	}
	return err
}
