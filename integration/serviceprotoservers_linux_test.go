package integration

import (
	"net/http"
	"strings"
	"testing"
)

// site is a script that makes the files that a server is to show.
const site = `mkdir -p /tmp/www/dir; echo hello > /tmp/www/dir/page.txt; head -c 3000000 /dev/zero > /tmp/www/large; `

// nginxScript starts nginx with what is to stand in its server.
func nginxScript(server string) string {
	return site + `mkdir -p /tmp/nginx
echo root:x:0:0:root:/root:/bin/sh > /etc/passwd; echo root:x:0: > /etc/group
cat > /tmp/nginx.conf <<END
user root; daemon off; worker_processes 1; pid /tmp/nginx/pid; error_log stderr;
events { worker_connections 100; }
http {
  access_log off; client_body_temp_path /tmp/nginx/b; proxy_temp_path /tmp/nginx/p;
  fastcgi_temp_path /tmp/nginx/f; uwsgi_temp_path /tmp/nginx/u; scgi_temp_path /tmp/nginx/s;
  log_format seen '\$request_method \$request_uri \$http_host';
  server { listen $PORT; ` + server + ` }
}
END
exec nginx -c /tmp/nginx.conf`
}

// realServer is a server that people use.
type realServer struct {
	name  string
	image func(*host) string
	// command is what the container executes.
	command []string
	// software is what it calls itself, redirect how it leads to a directory.
	software string
	redirect int
	// ranges and etags say what it can.
	ranges, etags bool
}

func realServers() []realServer {
	sh := func(script string) []string { return []string{"--command", "sh", "--args", "^\x01^-c\x01" + script} }
	return []realServer{
		{"nginx", debian, sh(nginxScript("root /tmp/www; absolute_redirect off;")), "nginx/", 301, true, true},
		{"python", debian, sh(site + "exec python3 -m http.server $PORT --directory /tmp/www"), "SimpleHTTP/", 301, false, false},
		{"busybox", (*host).shell, []string{"--args", "^\x01^" + site + "exec httpd -f -p $PORT -h /tmp/www"}, "", 302, true, false},
	}
}

// contract: NET-1, ENV-1
// Servers that people use listen where PORT says; pages, redirects and refusals
// pass as they made them.
func TestRealServers(t *testing.T) {
	hostOnly(t, "Debian's packages")
	h := openHost(t)
	d := h.serveRequests()
	for _, s := range realServers() {
		args := []string{"deploy", s.name, "--image", s.image(h), "--allow-unauthenticated", "--memory", "256Mi", "--port", "9123"}
		d.cli(append(args, s.command...)...).exits(0)
		for name, client := range map[string]*http.Client{"HTTP/1.1": d.requests(), "HTTP/2.0": d.requestsH2()} {
			d.looksAt(s, name, client)
		}
	}
}

// looksAt asks for the pages of a server.
func (d *daemon) looksAt(s realServer, protocol string, client *http.Client) {
	h := d.h
	h.Helper()
	ask := func(method, path string, code int, header ...string) answer {
		h.Helper()
		a := d.ask(client, method, s.name, path, nil, header...).is(h, code)
		if a.protocol != protocol {
			h.Errorf("%s: the answer comes by %s, want %s", s.name, a.protocol, protocol)
		}
		return a
	}
	page := ask(http.MethodGet, "/dir/page.txt", 200)
	if page.body != "hello\n" || !strings.HasPrefix(page.header.Get("Server"), s.software) || page.header.Get("Last-Modified") == "" {
		h.Errorf("%s: the page is %q, %v", s.name, page.body, page.header)
	}
	if head := ask(http.MethodHead, "/dir/page.txt", 200); s.name != "busybox" && head.header.Get("Content-Length") != "6" || head.body != "" {
		h.Errorf("%s: its head is %q, %v", s.name, head.body, head.header)
	}
	if large := ask(http.MethodGet, "/large", 200); large.body != string(make([]byte, 3_000_000)) {
		h.Errorf("%s: %d bytes, or others", s.name, len(large.body))
	}
	if to := ask(http.MethodGet, "/dir", s.redirect).header.Get("Location"); to != "/dir/" {
		h.Errorf("%s: the redirect is to %q", s.name, to)
	}
	if a := ask(http.MethodGet, "/nothing", 404); a.body == "" || strings.Contains(a.body, "The requested URL was not found on this server.") {
		h.Errorf("%s: the answer to a page that is not there is not its own\n%s", s.name, a.body)
	}
	if s.ranges {
		if a := ask(http.MethodGet, "/dir/page.txt", 206, "Range", "bytes=1-3"); a.body != "ell" || a.header.Get("Content-Range") != "bytes 1-3/6" {
			h.Errorf("%s: a range is %q, %v", s.name, a.body, a.header)
		}
	}
	if s.etags {
		if a := ask(http.MethodGet, "/dir/page.txt", 304, "If-None-Match", page.header.Get("Etag")); a.body != "" || a.header.Get("Etag") == "" {
			h.Errorf("%s: unchanged is %q, %v", s.name, a.body, a.header)
		}
	}
}
