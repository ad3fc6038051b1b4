package integration

import (
	"net/http"
	"strings"
	"testing"

	"runnel/integration/rig"
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
	image func(*rig.Host) string
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
		{"busybox", (*rig.Host).Shell, []string{"--args", "^\x01^" + site + "exec httpd -f -p $PORT -h /tmp/www"}, "", 302, true, false},
	}
}

// contract: NET-1, ENV-1
// Servers that people use listen where PORT says; pages, redirects and refusals
// pass as they made them.
func TestRealServers(t *testing.T) {
	rig.HostOnly(t, "Debian's packages")
	h := openHost(t)
	d := h.ServeRequests()
	for _, s := range realServers() {
		args := []string{"deploy", s.name, "--image", s.image(h), "--allow-unauthenticated", "--memory", "256Mi", "--port", "9123"}
		d.CLI(append(args, s.command...)...).Exits(0)
		for name, client := range map[string]*http.Client{"HTTP/1.1": d.Requests(), "HTTP/2.0": requestsH2(d)} {
			looksAt(d, s, name, client)
		}
	}
}

// looksAt asks for the pages of a server.
func looksAt(d *rig.Daemon, s realServer, protocol string, client *http.Client) {
	h := d.Host
	h.Helper()
	ask := func(method, path string, code int, header ...string) rig.Answer {
		h.Helper()
		a := d.Ask(client, method, s.name, path, nil, header...).Is(h, code)
		if a.Protocol != protocol {
			h.Errorf("%s: the answer comes by %s, want %s", s.name, a.Protocol, protocol)
		}
		return a
	}
	page := ask(http.MethodGet, "/dir/page.txt", 200)
	if page.Body != "hello\n" || !strings.HasPrefix(page.Header.Get("Server"), s.software) || page.Header.Get("Last-Modified") == "" {
		h.Errorf("%s: the page is %q, %v", s.name, page.Body, page.Header)
	}
	if head := ask(http.MethodHead, "/dir/page.txt", 200); s.name != "busybox" && head.Header.Get("Content-Length") != "6" || head.Body != "" {
		h.Errorf("%s: its head is %q, %v", s.name, head.Body, head.Header)
	}
	if large := ask(http.MethodGet, "/large", 200); large.Body != string(make([]byte, 3_000_000)) {
		h.Errorf("%s: %d bytes, or others", s.name, len(large.Body))
	}
	if to := ask(http.MethodGet, "/dir", s.redirect).Header.Get("Location"); to != "/dir/" {
		h.Errorf("%s: the redirect is to %q", s.name, to)
	}
	if a := ask(http.MethodGet, "/nothing", 404); a.Body == "" || strings.Contains(a.Body, "The requested URL was not found on this server.") {
		h.Errorf("%s: the answer to a page that is not there is not its own\n%s", s.name, a.Body)
	}
	if s.ranges {
		if a := ask(http.MethodGet, "/dir/page.txt", 206, "Range", "bytes=1-3"); a.Body != "ell" || a.Header.Get("Content-Range") != "bytes 1-3/6" {
			h.Errorf("%s: a range is %q, %v", s.name, a.Body, a.Header)
		}
	}
	if s.etags {
		if a := ask(http.MethodGet, "/dir/page.txt", 304, "If-None-Match", page.Header.Get("Etag")); a.Body != "" || a.Header.Get("Etag") == "" {
			h.Errorf("%s: unchanged is %q, %v", s.name, a.Body, a.Header)
		}
	}
}
