package metadata

import (
	"context"
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"runnel/contract"
)

// TokenSource makes the credentials that instances ask for. *Signer is the one
// that Runnel uses. Its methods are called concurrently.
type TokenSource interface {
	// AccessToken returns a token of id's service account for scopes, none
	// meaning the account's own.
	AccessToken(ctx context.Context, id Identity, scopes []string) (AccessToken, error)
	// IdentityToken returns a signed JWT that says who id is to audience, with
	// the instance's own claims if full is set.
	IdentityToken(ctx context.Context, id Identity, audience string, full bool) (string, error)
}

// Config is what a Handler needs.
type Config struct {
	// Tokens makes tokens. Without one the token paths answer 404.
	Tokens TokenSource
}

// Handler is the metadata server of every instance of a host. It holds no
// state of its own and is safe for concurrent use.
type Handler struct{ tokens TokenSource }

// New returns a Handler. Requests must come through a server whose contexts
// carry an identity, see WithIdentity.
func New(cfg Config) *Handler { return &Handler{tokens: cfg.Tokens} }

// shortName is the name that instances have for it beside contract.MetadataHost.
const shortName = "metadata"

// flavorHeader and flavor are the header that a request must carry and an
// answer always does; serverName is what several detectors of Cloud Run
// compare the Server header with.
const (
	flavorHeader = "Metadata-Flavor"
	flavor       = "Google"
	serverName   = "Metadata Server for Serverless"
)

// ServeHTTP answers one request for the identity of its listener.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Every answer has these, refusals too: clients that look for a metadata
	// server ask without any header and judge by the answer's.
	w.Header().Set(flavorHeader, flavor)
	w.Header().Set("Server", serverName)
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // a body may not come to its end
	}
	if status, why := refusal(r); status != 0 {
		refuse(w, status, why)
		return
	}
	id := identityOf(r.Context())
	if id == nil {
		refuse(w, http.StatusServiceUnavailable, "This metadata server has no instance to speak for yet.")
		return
	}
	path, rooted := strings.CutPrefix(r.URL.Path, "/")
	n, slash, ok := tree(*id).find(path)
	switch {
	case !ok || !rooted:
		notFound(w)
	case n.isDir() && !slash:
		redirect(w, r)
	case n.call != nil:
		n.call(h, w, r, *id)
	default:
		serveNode(w, r, n)
	}
}

// refusal says why r may not be answered at all; status 0 means that it may.
//
// The header rule and the refusal of forwarded requests are what keeps a
// server-side request forgery in the instance's program from reading tokens:
// whoever makes the program fetch a URL cannot set the one, and a proxy sets
// the other. A name of somebody's own that resolves to this address does not
// lead here either.
//
// A request that announces a body, or more of one than ever comes, could not be
// held: as long as there is some to come, nobody notices the client leave.
func refusal(r *http.Request) (status int, why string) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "Only GET and HEAD are answered."
	case r.ContentLength != 0:
		return http.StatusBadRequest, "Requests with a body are not answered."
	case len(r.Header.Values("X-Forwarded-For")) > 0:
		return http.StatusForbidden, "Requests with an X-Forwarded-For header are not answered."
	case !isOurs(r.Host):
		return http.StatusForbidden, "Requests to another host's name are not answered."
	case r.Header.Get(flavorHeader) != flavor:
		return http.StatusForbidden, "Missing required header: " + flavorHeader + ": " + flavor
	}
	return 0, ""
}

// isOurs reports whether host, as a request has it, is the metadata server: by
// one of its names, by an address, or left out, as HTTP/1.0 allows.
func isOurs(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	switch strings.ToLower(strings.TrimSuffix(host, ".")) {
	case "", contract.MetadataHost, shortName:
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// refuse answers status with a small page that says why.
func refuse(w http.ResponseWriter, status int, why string) {
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	// The client's connection is all that can fail, and then nobody listens.
	_, _ = w.Write([]byte("<!DOCTYPE html><title>" + http.StatusText(status) + "</title><p>" + html.EscapeString(why) + "\n"))
}

// notFound answers a bare 404: clients tell by the status alone.
func notFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusNotFound)
}

// redirect sends the client to the directory's name with a slash, query kept.
func redirect(w http.ResponseWriter, r *http.Request) {
	to := *r.URL
	to.Scheme, to.Host, to.User = "", "", nil
	to.Path += "/"
	if to.RawPath != "" {
		to.RawPath += "/"
	}
	w.Header().Set("Location", to.String())
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusMovedPermanently)
}

// serveNode answers a directory or a value in the form that the query asks for.
func serveNode(w http.ResponseWriter, r *http.Request, n node) {
	q := r.URL.Query()
	alt := q.Get("alt")
	recursive := n.isDir() && q.Get("recursive") == "true"
	switch {
	case alt != "" && alt != "json" && alt != "text":
		refuse(w, http.StatusBadRequest, "The parameter alt is "+alt+"; it can be json or text.")
	case recursive && alt == "text":
		answerText(w, r, n.flat(""))
	case recursive:
		answerJSON(w, r, n.recursive())
	case n.isDir() && alt == "json":
		answerJSON(w, r, n.names())
	case n.isDir():
		answerText(w, r, strings.Join(n.names(), "\n")+"\n")
	case alt == "json":
		answerJSON(w, r, n.value)
	default:
		answerText(w, r, n.text)
	}
}

func answerText(w http.ResponseWriter, r *http.Request, text string) {
	answer(w, r, "application/text", []byte(text))
}

func answerJSON(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "The answer has no JSON form: "+err.Error())
		return
	}
	answer(w, r, "application/json", body)
}
