package house

import (
	"fmt"
	"slices"
	"strings"
)

// room is a part of the house: a directory and what is below it, except where
// another room begins.
type room struct {
	path string
	// may are the rooms it may import, besides itself and the floor.
	may []string
	// because is the sentence a person reads who runs into the wall.
	because string
}

// floor is what every room stands on.
var floor = []string{"contract", "internal/durable", "internal/undo"}

// rooms is the plan of the house.
var rooms = []room{
	{"contract", nil, "the contract is constants and pure functions; every room reads it, so it imports nothing"},
	{"internal/undo", nil, "the undo stack knows nothing of what it undoes"},
	{"internal/durable", nil, "it writes files and does not know what is in them"},

	{"cgroups", nil, "a mechanism: it turns limits into settings and knows no other mechanism"},
	{"image", nil, "a mechanism: references to unpacked layers, whoever uses them"},
	{"net", nil, "a mechanism: namespaces, addresses and listeners, whoever lives in them"},
	{"metadata", nil, "a mechanism: it answers for an identity it is given"},
	{"certs", nil, "it gets certificates, whoever serves with them"},
	{"probe", nil, "a mechanism: it asks an address, whoever lives there"},
	{"store", nil, "it keeps records and does not know what they are for"},

	{"runtime/shim", []string{"cgroups"}, "the protocol is all that the daemon and the shim share"},
	{"runtime/logfile", nil, "the form of the log files is all that their writer and their readers share"},
	{"runtime/logfile/tail", []string{"runtime/logfile"}, "it reads log files, whoever writes them"},
	{"runtime/shim/server", []string{"cgroups", "runtime/logfile", "runtime/shim"}, "the shim must stay small: it starts again with every container"},
	{"runtime", []string{"cgroups", "image", "net", "metadata", "runtime/logfile", "runtime/logfile/tail", "runtime/shim"}, "it composes the mechanisms and decides nothing"},

	{"ingress", nil, "the request path raises demand and never calls who answers it"},
	{"scheduler", []string{"runtime", "ingress", "probe", "cgroups", "image", "metadata"}, "it decides; of the mechanisms it knows the types that a runtime.Spec is made of"},
	{"api", nil, "what a resource must be is a rule of the contract's, whoever asks"},
	{"control", []string{"api", "store", "scheduler", "image"}, "it knows resources and what follows from them; how they come over the wire is not its business"},
	{"logs", []string{"api/rest", "control", "ingress", "metadata", "scheduler", "runtime/logfile", "runtime/logfile/tail"}, "it reads what instances have written, and asks control which these are"},

	{"api/v1", []string{"api", "api/rest", "control"}, "a facade over control"},
	{"api/v2", []string{"api", "control"}, "a facade over control"},
	{"api/rest", nil, "it carries calls to any gRPC server, and knows none"},
	{"api/gcloud", []string{"api/rest", "control"}, "a facade over control"},
	{"api/kf", []string{"api/rest", "control"}, "a facade over control"},
	{"api/schedules", []string{"api/rest", "control"}, "a facade over control"},
	{"api/source", []string{"api/rest", "control"}, "it hands what is sent to control, and looks into none of it"},
	{"api/wire", []string{"api/gcloud", "api/kf", "api/rest", "api/schedules", "api/v1", "api/v2", "control"}, "it takes connections and hands calls on"},

	{"cmd/runnel", []string{"api", "api/gcloud", "api/kf", "api/rest", "api/schedules", "api/source", "api/v1", "api/v2", "api/wire", "certs", "cgroups", "control", "image", "ingress", "logs", "metadata", "net", "probe", "runtime", "runtime/logfile", "runtime/logfile/tail", "runtime/shim", "scheduler", "store"}, "it wires everything but the shim's other side, which is a binary of its own"},
	{"cmd/runnel-shim", []string{"runtime/shim", "runtime/shim/server"}, "the shim's binary holds the shim and nothing else"},

	{"image/imagetest", []string{"image"}, "it makes images for tests"},
	{"control/controltest", []string{"control", "image", "runtime", "scheduler", "store"}, "it gives tests a control plane without a host"},
	{"cmd/runnel/clitest", []string{"api", "api/gcloud", "api/rest", "api/schedules", "api/source", "api/v1", "api/v2", "api/wire", "cmd/runnel", "control", "control/controltest"}, "it gives tests of commands a daemon without a host"},
	{"internal/testenv", nil, "every package's own tests may use it, so it may import none of them"},
	{"internal/testserver", nil, "it stands for a program of anybody's"},
	{"internal/inside", nil, "it looks at a container from inside, and knows nothing of who made it"},
	{"integration/rig", []string{"image/imagetest", "internal/testenv"}, "it drives the built binaries from outside"},
	{"internal/mkimage", []string{"image/imagetest"}, "it makes the images of the demo and of the benchmarks"},
	{"internal/bench/records", []string{"control", "scheduler", "store"}, "it fills the database of a daemon that is then measured from outside"},
	{"internal/bench", []string{"internal/bench/records"}, "it measures the built binaries from outside"},
	{"internal/testlog", nil, "it reads what tests have printed"},
	{"internal/vm", []string{"internal/testlog"}, "it boots the test machine and runs what was built for it"},
	{"internal/broken", nil, "it breaks a copy of the checkout and watches the tests"},
	{"internal/contracttable", []string{"internal/vm"}, "it reads comments and logs, and of the VM run the marks between the lines"},
	{"internal/house", nil, "the rules depend on nothing they rule"},
	{"integration", nil, "it drives the built binaries from outside"},
}

// roomOf is the room that a directory of the module belongs to: the one with
// the longest path. It is nil where the plan has none.
func roomOf(dir string) *room {
	var found *room
	for i := range rooms {
		if r := &rooms[i]; within(dir, r.path) && (found == nil || len(r.path) > len(found.path)) {
			found = r
		}
	}
	return found
}

// allows reports whether a file of r may import a package of the room to.
func (r room) allows(to *room) bool {
	if to.path == r.path {
		return true
	}
	for _, may := range append(r.may, floor...) {
		if to.path == may {
			return !slices.Contains(floor, r.path)
		}
	}
	return false
}

// checkWalls finds imports that go through a wall. Tests may look over it.
func checkWalls(files []file) (faults []string) {
	for _, f := range files {
		if f.isTest() {
			continue
		}
		from := roomOf(f.dir())
		if from == nil {
			faults = append(faults, fmt.Sprintf("%s belongs to no room of the plan", f.path))
			continue
		}
		for _, d := range f.imports() {
			target, ours := strings.CutPrefix(d.path, module+"/")
			if !ours {
				continue
			}
			to := roomOf(target)
			if to != nil && from.allows(to) {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s: %s -> %s: %s", f.at(d.pos), f.dir(), target, from.because))
		}
	}
	return faults
}
