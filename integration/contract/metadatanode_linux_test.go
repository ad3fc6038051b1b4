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
	nodeJob = "md-node"
	// Its task has a project and a region of its own.
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

// asNodeSees is what they see, on hosts with Node.js, and the daemon of all tests.
func asNodeSees(t *testing.T) (nodeView, *rig.Daemon) {
	t.Helper()
	rig.HostOnly(t, "Node.js")
	d := daemon(t)
	theNodeView.look.Do(func() { theNodeView.seen = lookAsNode(t, d) })
	if theNodeView.seen == nil {
		t.Fatal("the task of Node.js has seen nothing")
	}
	return *theNodeView.seen, d
}

// lookAsNode runs the program.
func lookAsNode(t *testing.T, d *rig.Daemon) *nodeView {
	t.Helper()
	at := []string{"--project", nodeProject, "--region", nodeRegion}
	d.CLI(append(at, "jobs", "deploy", nodeJob, "--image", nodeImage(d.Host), "--args", nodeAudience, "--memory", "512Mi",
		"--service-account", nodeAccount, "--max-retries", "0", "--execute-now", "--wait")...).Exits(0)
	text := d.CLI(append(at, "jobs", "logs", nodeJob, "--format", "value(textPayload)")...).Exits(0).Stdout
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

// contract: MD-1
func TestMD1NodeFindsTheServerByNameAndAddress(t *testing.T) {
	if n, _ := asNodeSees(t); !n.Available || n.ByName != nodeProject {
		t.Errorf("available: %v; by name it is project %q", n.Available, n.ByName)
	}
}

// contract: MD-4
func TestMD4NodeKnowsItsProject(t *testing.T) {
	n, _ := asNodeSees(t)
	if n.Project != nodeProject || n.AuthProject != nodeProject || !regexp.MustCompile(`^[0-9]{12}$`).MatchString(n.Number.String()) || n.Number == projectNumber {
		t.Errorf("project %q, to the auth library %q, number %s", n.Project, n.AuthProject, n.Number)
	}
}

// contract: MD-5
func TestMD5NodeKnowsItsRegion(t *testing.T) {
	if n, _ := asNodeSees(t); n.Region != "projects/"+n.Number.String()+"/regions/"+nodeRegion {
		t.Errorf("the region is %q", n.Region)
	}
}

// contract: MD-6
func TestMD6NodeKnowsItsZone(t *testing.T) {
	if n, _ := asNodeSees(t); n.Zone != "projects/"+n.Number.String()+"/zones/"+nodeRegion+"-1" {
		t.Errorf("the zone is %q", n.Zone)
	}
}

// contract: MD-7
func TestMD7NodeKnowsItsInstance(t *testing.T) {
	n, d := asNodeSees(t)
	logged := d.CLI("--project", nodeProject, "--region", nodeRegion, "jobs", "logs", nodeJob, "--limit", "1", "--format", "value(labels.instanceId)").Exits(0)
	if len(n.ID) < 100 || strings.Trim(n.ID, "0123456789abcdef") != "" || logged.Stdout != n.ID+"\n" {
		t.Errorf("the instance is %q, in the log %q", n.ID, logged.Stdout)
	}
}

// contract: MD-8
func TestMD8NodeKnowsItsAccount(t *testing.T) {
	if n, _ := asNodeSees(t); n.Email != nodeAccount {
		t.Errorf("the account is %q", n.Email)
	}
}

// contract: MD-9
func TestMD9NodeSendsItsToken(t *testing.T) {
	n, _ := asNodeSees(t)
	if len(n.AccessToken) < 100 || n.ExpiresIn <= 0 || n.ExpiresIn > 3600 || n.Authorization != "Bearer "+n.AccessToken {
		t.Errorf("the library has a token of %d bytes for %v s, and sends %.30q", len(n.AccessToken), n.ExpiresIn, n.Authorization)
	}
}

// contract: MD-10
func TestMD10NodeHasATokenForItsAudience(t *testing.T) {
	n, d := asNodeSees(t)
	if says := verified(t, d, n.IDToken); says.Audience != nodeAudience || says.Email != nodeAccount {
		t.Errorf("the library's token says %+v", says)
	}
}

// contract: MD-18
func TestMD18NodeIsInGooglesUniverse(t *testing.T) {
	if n, _ := asNodeSees(t); n.Universe != "googleapis.com" || n.AuthUniverse != "googleapis.com" {
		t.Errorf("the universe is %q, to the auth library %q", n.Universe, n.AuthUniverse)
	}
}
