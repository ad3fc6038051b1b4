package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// role, in the environment, has the test binary be one of the programs that a
// benchmark needs, so that the CPU time of each can be told apart.
const role = "RUNNEL_FORWARD_ROLE"

func TestMain(m *testing.M) {
	if name := os.Getenv(role); name != "" {
		play(name, os.Getenv(role+"_TO"))
		return
	}
	os.Exit(m.Run())
}

// play serves until standard input ends.
func play(name, to string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	serve, ok := roles[name]
	if !ok {
		panic(name)
	}
	go serve(l, to)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// roles are the programs.
var roles = map[string]func(l net.Listener, to string){
	"instance": instance,
	"hop": func(l net.Listener, to string) {
		hop := NewHop(netip.MustParseAddrPort(to), false)
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if res := hop.Serve(w, r); res.Err != nil {
				panic(res.Err)
			}
		}))
	},
	"reverseproxy": func(l net.Listener, to string) {
		p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to})
		p.Transport = &http.Transport{MaxIdleConnsPerHost: 1000}
		_ = http.Serve(l, p)
	},
}

// instance answers everything with 1 KB, at little cost; /SIZE with that many
// bytes in chunks.
func instance(l net.Listener, _ string) {
	small := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for in := bufio.NewReader(c); ; {
				head := readHead(in)
				if head == "" {
					return
				}
				if strings.HasPrefix(head, "GET / ") {
					_, err = c.Write(small)
				} else {
					err = long(c, in, head)
				}
				if err != nil {
					return
				}
			}
		}()
	}
}

// long answers with many bytes in chunks, or reads as many.
func long(c net.Conn, in *bufio.Reader, head string) error {
	size, _ := strconv.Atoi(strings.Trim(strings.Fields(head)[1], "/"))
	if strings.HasPrefix(head, "POST") {
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head+"\r\n"), in)))
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return err
		}
		_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	chunk := []byte("8000\r\n" + strings.Repeat("y", 0x8000) + "\r\n")
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		return err
	}
	for ; size > 0; size -= 0x8000 {
		if _, err := c.Write(chunk); err != nil {
			return err
		}
	}
	_, err := io.WriteString(c, "0\r\n\r\n")
	return err
}

// program is a process that listens.
type program struct {
	addr string
	// pid is the process, which may have children.
	pid int
}

// start runs one of the roles until the benchmark ends.
func start(b *testing.B, name, to string) program {
	b.Helper()
	if _, peer := peerConfigs[name]; peer {
		return startPeer(b, name, to)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+name, role+"_TO="+to)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return program{addr: strings.TrimSpace(line), pid: cmd.Process.Pid}
}

// cpu is the CPU time that p has used.
func (p program) cpu(b *testing.B) time.Duration {
	b.Helper()
	var sum uint64
	for _, pid := range append(children(p.pid), p.pid) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):]))
		for _, field := range fields[12:14] {
			n, _ := strconv.ParseUint(field, 10, 64)
			sum += n
		}
	}
	return time.Duration(sum) * time.Second / 100
}

// proxies are the ways that are measured, in each run beside each other.
var proxies = []string{"hop", "reverseproxy", "nginx", "haproxy"}

// BenchmarkSmall has 32 clients ask for 1 KB over connections that are kept.
// cpu-us/op is what the proxy alone has used.
func BenchmarkSmall(b *testing.B) {
	to := start(b, "instance", "")
	for _, name := range proxies {
		b.Run(name, func(b *testing.B) {
			p := start(b, name, to.addr)
			ask := []byte("GET / HTTP/1.1\r\nHost: hello.run.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
			load(b, p.addr, ask, 200)
			before := p.cpu(b)
			b.ResetTimer()
			load(b, p.addr, ask, b.N)
			b.StopTimer()
			b.ReportMetric(float64((p.cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// load makes n requests over 32 connections.
func load(b *testing.B, addr string, ask []byte, n int) {
	b.Helper()
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range 32 {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for left.Add(-1) >= 0 {
				if _, err := c.Write(ask); err != nil {
					b.Error(err)
					return
				}
				if head := readHead(in); !strings.Contains(strings.ToLower(head), "content-length: 1024") {
					b.Errorf("got %q", head)
					return
				}
				if _, err := in.Discard(1024); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkLarge carries 256 MB each way, in chunks. cpu-ms/GB is what the proxy
// alone has used.
func BenchmarkLarge(b *testing.B) {
	to := start(b, "instance", "")
	const size = 256 << 20
	for _, name := range proxies {
		for _, way := range []string{"down", "up"} {
			b.Run(name+"/"+way, func(b *testing.B) {
				p := start(b, name, to.addr)
				c := client(b, false)
				before := p.cpu(b)
				b.SetBytes(size)
				for range b.N {
					var body io.Reader
					method := http.MethodGet
					if way == "up" {
						method, body = http.MethodPost, io.LimitReader(zeros{}, size)
					}
					req, _ := http.NewRequest(method, "http://"+p.addr+"/"+strconv.Itoa(size), body)
					in, err := c.Do(req)
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, in.Body); err != nil || way == "down" && n != size {
						b.Fatal(n, err)
					}
					in.Body.Close()
				}
				b.ReportMetric(float64((p.cpu(b)-before).Milliseconds())/float64(b.N)*4, "cpu-ms/GB")
			})
		}
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
