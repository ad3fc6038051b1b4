package metadata

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Scope is the OAuth scope that every service account has.
const Scope = "https://www.googleapis.com/auth/cloud-platform"

// UniverseDomain is what universe/universe-domain answers.
const UniverseDomain = "googleapis.com"

// node is one path of the metadata tree: a directory, a value, or a call whose
// answer is made for each request.
type node struct {
	name string
	// key replaces the camel-cased name in recursive JSON, where the name is
	// data rather than a word.
	key string
	// children are what a directory lists, in order; nil for the others.
	children []node
	// text and value are a value's two forms: plain and JSON.
	text  string
	value any
	// call answers a token request. Recursive answers leave it out, so that
	// credentials never end up in a dump of the tree.
	call func(h *Handler, w http.ResponseWriter, r *http.Request, id Identity)
}

func dir(name string, children ...node) node { return node{name: name, children: children} }

func value(name, text string) node { return node{name: name, text: text, value: text} }

// list is a value of several lines: each ends with a newline, as the metadata
// server writes them.
func list(name string, lines ...string) node {
	return node{name: name, text: strings.Join(lines, "\n") + "\n", value: lines}
}

// tree is everything there is to ask about id.
// Source: Cloud Run container runtime contract, "Container instance metadata
// server"; listings as Cloud Run answers them.
func tree(id Identity) node {
	return dir("", dir("computeMetadata", dir("v1",
		dir("instance",
			value("id", id.InstanceID),
			value("region", id.regionName()),
			dir("service-accounts", account("default", id), account(id.ServiceAccount, id)),
			value("zone", id.zoneName()),
		),
		dir("project",
			node{name: "numeric-project-id", text: id.ProjectNumber, value: json.Number(id.ProjectNumber)},
			value("project-id", id.ProjectID),
		),
		dir("universe", value("universe-domain", UniverseDomain)),
	)))
}

// account is a service account's directory: it is listed twice, by alias and
// by address.
func account(name string, id Identity) node {
	n := dir(name,
		list("aliases", "default"),
		value("email", id.ServiceAccount),
		node{name: "identity", call: (*Handler).serveIdentity},
		list("scopes", Scope),
		node{name: "token", call: (*Handler).serveToken},
	)
	n.key = name
	return n
}

// isDir reports whether n lists children.
func (n node) isDir() bool { return n.children != nil }

// find follows path, which has no leading slash, from n. A directory is found
// with and without a trailing slash, and slash tells which; anything else only
// without.
func (n node) find(path string) (found node, slash, ok bool) {
	if path == "" {
		return n, true, n.isDir()
	}
	name, rest, more := strings.Cut(path, "/")
	for _, c := range n.children {
		if c.name != name {
			continue
		}
		if !more {
			return c, false, true
		}
		return c.find(rest)
	}
	return node{}, false, false
}

// names lists a directory's children; directories end with a slash.
func (n node) names() []string {
	names := make([]string, 0, len(n.children))
	for _, c := range n.children {
		if c.isDir() {
			c.name += "/"
		}
		names = append(names, c.name)
	}
	return names
}

// recursive is the JSON form of everything beneath n.
func (n node) recursive() any {
	if !n.isDir() {
		return n.value
	}
	object := make(map[string]any, len(n.children))
	for _, c := range n.children {
		if c.call == nil {
			object[c.jsonKey()] = c.recursive()
		}
	}
	return object
}

// flat is the text form of everything beneath n: one line for each line of
// each value, the path from n before it.
func (n node) flat(prefix string) string {
	var b strings.Builder
	for _, c := range n.children {
		switch {
		case c.call != nil:
		case c.isDir():
			b.WriteString(c.flat(prefix + c.name + "/"))
		default:
			for line := range strings.Lines(c.text) {
				b.WriteString(prefix + c.name + " " + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	return b.String()
}

// jsonKey turns a path element into a JSON key: "service-accounts" reads
// "serviceAccounts".
func (n node) jsonKey() string {
	if n.key != "" {
		return n.key
	}
	words := strings.Split(n.name, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
