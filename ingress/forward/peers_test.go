package forward

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// peerConfigs are the configurations of proxies that a benchmark measures beside
// ours where the host has them: how they are started, and what with.
var peerConfigs = map[string]struct {
	args []string
	text string
}{
	"nginx": {[]string{"-c", "FILE", "-p", "DIR"}, `daemon off; worker_processes 2; pid DIR/pid; error_log stderr crit; user root;
events { worker_connections 1000; }
http { access_log off; keepalive_requests 100000000;
  client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
  upstream instance { server TO; keepalive 200; keepalive_requests 100000000; }
  server { listen FROM; client_max_body_size 0; location / { proxy_pass http://instance; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $host; proxy_request_buffering off; proxy_max_temp_file_size 0; } } }
`},
	"haproxy": {[]string{"-f", "FILE"}, `global
  nbthread 2
defaults
  mode http
  option splice-auto
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend f
  bind FROM
  default_backend b
backend b
  http-reuse always
  server s TO
`},
}

// startPeer runs another proxy until the test ends.
func startPeer(b testing.TB, name, to string) program {
	b.Helper()
	path := testenv.Program(b, name)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	from := l.Addr().String()
	l.Close()
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	fill := strings.NewReplacer("DIR", dir, "FROM", from, "TO", to, "FILE", filepath.Join(dir, "conf"))
	c := peerConfigs[name]
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(fill.Replace(c.text)), 0o644); err != nil {
		b.Fatal(err)
	}
	var args []string
	for _, arg := range c.args {
		args = append(args, fill.Replace(arg))
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", from); err == nil {
			c.Close()
			return program{addr: from, pid: cmd.Process.Pid}
		}
	}
	b.Fatal(name, "does not listen")
	return program{}
}

// children are the processes that pid has started.
func children(pid int) (pids []int) {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range strings.Fields(string(list)) {
		var child int
		if _, err := fmt.Sscan(field, &child); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}
