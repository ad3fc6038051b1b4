package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// proxiedName is the service behind the proxies.
const proxiedName = "proxied"

// proxy is a program that passes requests on. Runnel's is the daemon.
type proxy struct {
	title, address string
	// processes are those that do the work.
	processes func() ([]int, error)
	end       func()
}

// worked is what a proxy has worked so far.
func (p *proxy) worked() (time.Duration, error) {
	pids, err := p.processes()
	if err != nil {
		return 0, err
	}
	return workedOf(pids...)
}

// peerProxy is how a proxy is run that is not Runnel's.
type peerProxy struct {
	title, program, port string
	// conf is its configuration, args how it is given.
	conf string
	args func(file string) []string
}

// nginxConf is that of nginx with connections kept to TO; it works on as many
// cores as there are, as Debian has it. Its log of requests is ACCESS.
const nginxConf = `daemon off; worker_processes auto; pid PID; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log ACCESS; client_max_body_size 0; client_body_temp_path DIR; proxy_temp_path DIR;
  fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
  sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  upstream to { server TO; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://to; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering BUFFER; proxy_request_buffering BUFFER;
    }
  }
}
`

const haproxyConf = `global
  maxconn 4000
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:PORT
  default_backend to
backend to
  server one TO
`

// peerProxies are the proxies that Runnel is compared with, in front of a server
// at the address to.
func peerProxies(c config, to string) []peerProxy {
	nginx := func(file string) []string { return []string{"-c", file, "-p", filepath.Dir(file)} }
	return []peerProxy{
		{title: "nginx", program: "nginx", port: "8101", conf: nginxConf, args: nginx},
		{title: "nginx, no log of requests", program: "nginx", port: "8102", conf: strings.Replace(nginxConf, "ACCESS", "off", 1), args: nginx},
		{title: "haproxy, no log of requests", program: "haproxy", port: "8103", conf: haproxyConf, args: func(file string) []string { return []string{"-f", file, "-db"} }},
		{title: "httputil.ReverseProxy", program: c.server(), port: "8104", args: func(string) []string { return []string{"-proxy", "http://" + to} }},
	}
}

// start runs the proxy in front of a server, and waits until it answers.
func (p peerProxy) start(ctx context.Context, dir, to string, buffered bool) (*proxy, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	buffer := "off"
	if buffered {
		buffer = "on"
	}
	file := filepath.Join(dir, "conf")
	text := strings.NewReplacer("PORT", p.port, "TO", to, "DIR", dir, "PID", filepath.Join(dir, "pid"),
		"ACCESS", filepath.Join(dir, "access.log"), "BUFFER", buffer).Replace(p.conf)
	if err := write(file, text); err != nil {
		return nil, err
	}
	cmd := exec.Command(p.program, p.args(file)...)
	cmd.Env = append(os.Environ(), "PORT="+p.port)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	started := &proxy{title: p.title, address: "127.0.0.1:" + p.port, end: func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = cmd.Wait()                          // how it ends is no matter
	}}
	started.processes = func() ([]int, error) {
		children, err := childrenOf(cmd.Process.Pid)
		return append(children, cmd.Process.Pid), err
	}
	if err := until(ctx, func() bool { return firstByte(ctx, started.address, "peer") == nil }); err != nil {
		started.end()
		return nil, fmt.Errorf("%s does not answer: %w", p.title, err)
	}
	return started, nil
}

// runnelProxy is the daemon as a proxy.
func (d *daemon) runnelProxy() *proxy {
	return &proxy{
		title: "Runnel", address: ingressAddress, end: func() {},
		processes: func() ([]int, error) { return []int{d.process.Process.Pid}, nil },
	}
}

// onProxies deploys a service, and calls do with the daemon, and with each peer in
// front of the one instance that it has.
func onProxies(ctx context.Context, c config, d *daemon, ref string, buffered bool, do func([]*proxy) error) error {
	s := deployment{name: proxiedName, image: ref, cpu: "2", memory: "512Mi", least: 1, most: 1, concurrency: 1000, always: true}
	if err := d.deploy(ctx, s); err != nil {
		return err
	}
	ip, err := fetch(ctx, ingressAddress, hostOf(proxiedName), "/address")
	if err != nil {
		return err
	}
	to := ip + ":8080"
	all := []*proxy{d.runnelProxy()}
	defer func() {
		for _, p := range all {
			p.end()
		}
	}()
	for _, peer := range peerProxies(c, to) {
		p, err := peer.start(ctx, filepath.Join(filepath.Dir(d.root), peer.port), to, buffered)
		if err != nil {
			fmt.Fprintln(os.Stderr, "left out:", err)
			continue
		}
		all = append(all, p)
	}
	return do(all)
}

// proxyVersions are those of the peers.
func proxyVersions() string {
	return firstLine("nginx", "-v") + "; " + firstLine("haproxy", "-v")
}
