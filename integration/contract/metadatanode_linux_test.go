package contract

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

const (
	// The task of Node.js has a project and a region of its own.
	nodeProject  = "demo"
	nodeRegion   = "europe-west1"
	nodeAccount  = "node@demo.iam.gserviceaccount.com"
	nodeAudience = "https://node.example/"
	// nodeModules is where make keeps Google's libraries for Node.js.
	nodeModules = "../../.cache/node/node_modules"
)

// nodeView is what testdata/metadata.mjs prints: what Google's libraries for
// Node.js see of the metadata server.
type nodeView struct {
	Available               bool
	ByName                  string
	Project, AuthProject    string
	Number                  json.Number
	Region, Zone, ID, Email string
	Universe, AuthUniverse  string
	AccessToken             string
	ExpiresIn               float64
	Authorization, IDToken  string
}

// theNodeView is what the one task of Node.js has seen, for all tests.
var theNodeView struct {
	look sync.Once
	seen *nodeView
}

// asNodeSees runs a part of a test, on hosts with Node.js.
func asNodeSees(t *testing.T, check func(t *testing.T, n nodeView)) {
	t.Helper()
	t.Run("Node.js", func(t *testing.T) {
		rig.HostOnly(t, "Node.js")
		d := shared.daemon.For(t)
		theNodeView.look.Do(func() { theNodeView.seen = lookAsNode(t, d) })
		if theNodeView.seen == nil {
			t.Fatal("the task of Node.js has seen nothing")
		}
		check(t, *theNodeView.seen)
	})
}

// lookAsNode runs the program.
func lookAsNode(t *testing.T, d *rig.Daemon) *nodeView {
	t.Helper()
	at := []string{"--project", nodeProject, "--region", nodeRegion}
	d.CLI(append(at, "jobs", "deploy", "md-node", "--image", nodeImage(d.Host), "--args", nodeAudience, "--memory", "512Mi",
		"--service-account", nodeAccount, "--max-retries", "0", "--execute-now", "--wait")...).Exits(0)
	text := d.CLI(append(at, "jobs", "logs", "md-node", "--format", "value(textPayload)")...).Exits(0).Stdout
	var n nodeView
	seen, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)) // JSON would be an entry of its own kind
	if err == nil {
		err = json.Unmarshal(seen, &n)
	}
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return &n
}

// nodeImage is an image of this host's Node.js, its libraries, Google's modules
// and the program.
func nodeImage(h *rig.Host) string {
	h.Helper()
	return h.Image("node", func() imagetest.Build {
		node, err := exec.LookPath("node")
		if err == nil {
			_, err = os.Stat(nodeModules)
		}
		if err != nil {
			h.Fatalf("%v: run make test-setup .cache/node first", err)
		}
		tree := h.TempDir()
		files := append(librariesOf(h, node), node)
		// Debian's Node.js has some of its own modules beside it.
		for _, module := range []string{"acorn", "acorn-walk", "cjs-module-lexer", "minimatch", "undici"} {
			if found, err := filepath.Glob("/usr/share/nodejs/" + module); err == nil {
				files = append(files, found...)
			}
		}
		for _, args := range [][]string{
			append([]string{"-rL", "--parents", "--target-directory", tree}, files...),
			{"-r", nodeModules, "testdata/metadata.mjs", tree},
		} {
			if out, err := exec.Command("cp", args...).CombinedOutput(); err != nil {
				h.Fatalf("cp %q: %v\n%s", args, err, out)
			}
		}
		if err := os.Chmod(tree, 0o755); err != nil {
			h.Fatal(err)
		}
		return imagetest.Build{
			Layers:      []imagetest.Layer{{Tree: tree}},
			Compression: imagetest.None,
			Config:      imagetest.Config{Entrypoint: []string{node, "/metadata.mjs"}},
		}
	})
}

// librariesOf are the shared libraries that a program is linked with, and what
// loads them.
func librariesOf(h *rig.Host, program string) []string {
	h.Helper()
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		h.Fatalf("ldd %s: %v", program, err)
	}
	return regexp.MustCompile(`/[^ ]+`).FindAllString(string(out), -1)
}
