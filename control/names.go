package control

import (
	"slices"
	"strings"

	"runnel/contract"
)

// level is a kind of resources that names lead to.
type level int

// The levels.
const (
	atProject level = iota + 1
	atLocation
	atJob
	atExecution
	atTask
	atService
	atRevision
	atWorkerPool
	atPoolRevision
)

// maxDepth is how many collections a name goes through at most.
const maxDepth = 5

// levels says of each level which collection it is, how many a name goes
// through to get there, which level is above, and how errors write what is in
// it.
var levels = [...]struct {
	collection, kind string
	depth            int
	above            level
}{
	atProject:      {"projects", "PROJECT", 1, 0},
	atLocation:     {"locations", "LOCATION", 2, atProject},
	atJob:          {"jobs", "JOB", 3, atLocation},
	atExecution:    {"executions", "EXECUTION", 4, atJob},
	atTask:         {"tasks", "TASK", 5, atExecution},
	atService:      {"services", "SERVICE", 3, atLocation},
	atRevision:     {"revisions", "REVISION", 4, atService},
	atWorkerPool:   {"workerPools", "WORKER_POOL", 3, atLocation},
	atPoolRevision: {"revisions", "REVISION", 4, atWorkerPool},
}

// depth is how many collections a name of the level goes through.
func (l level) depth() int { return levels[l].depth }

// path are the collections that a name of the level goes through, the outermost
// first; as many count as the level is deep.
func (l level) path() (path [maxDepth]string) {
	for ; l > 0; l = levels[l].above {
		path[l.depth()-1] = levels[l].collection
	}
	return path
}

// anyID stands for every resource of a collection.
const anyID = "-"

// name is a resource's full name, taken apart. It is comparable.
type name struct {
	// ids are the project, the location, the job, the execution, the task, or the
	// project, the location, the service or the worker pool, the revision: as many
	// as at says.
	ids [maxDepth]string
	at  level
}

// parse reads a name of the given level, which came in the field of a request.
// A project's number is turned into its id.
func (c *Control) parse(field, s string, at level) (name, error) {
	parts := strings.Split(s, "/")
	n := name{at: at}
	ok := len(parts) == 2*at.depth()
	path := at.path()
	for i := 0; ok && i < at.depth(); i++ {
		n.ids[i] = parts[2*i+1]
		ok = parts[2*i] == path[i] && isID(n.ids[i])
	}
	if !ok {
		return name{}, violation(field, "%q is not a name: want %s", s, pattern(at))
	}
	n.ids[0] = c.ProjectID(n.ids[0])
	return n, nil
}

// isID reports whether s may be a part of a name: visible ASCII, and no more of
// it than any id has.
func isID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f
	})
}

// parseOne is parse for the name of one resource: no part of it may be "-".
func (c *Control) parseOne(field, s string, at level) (name, error) {
	n, err := c.parse(field, s, at)
	if err == nil && n.wild() {
		return name{}, violation(field, "%q stands for several resources: want the name of one", s)
	}
	return n, err
}

// pattern is what names of a level look like.
func pattern(at level) string {
	var parts []string
	for ; at > 0; at = levels[at].above {
		parts = append(parts, levels[at].collection+"/"+levels[at].kind)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// split takes apart a name that this package has put together.
func split(full string) name {
	parts := strings.Split(full, "/")
	var n name
	for l := range levels {
		if l := level(l); l > 0 && 2*l.depth() == len(parts) && l.leadsThrough(parts) {
			n.at = l
		}
	}
	for i := range n.depth() {
		n.ids[i] = parts[2*i+1]
	}
	return n
}

// leadsThrough reports whether a name, taken apart, goes through the collections
// of the level.
func (l level) leadsThrough(parts []string) bool {
	path := l.path()
	for i := range l.depth() {
		if parts[2*i] != path[i] {
			return false
		}
	}
	return true
}

// String is the full name.
func (n name) String() string {
	var b strings.Builder
	path := n.at.path()
	for i := range n.depth() {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(path[i])
		b.WriteByte('/')
		b.WriteString(n.ids[i])
	}
	return b.String()
}

// depth is how many parts the name has.
func (n name) depth() int { return n.at.depth() }

// id is the last part.
func (n name) id() string { return n.ids[n.depth()-1] }

func (n name) project() string  { return n.ids[0] }
func (n name) location() string { return n.ids[1] }

// child is the name of what is called id in a collection right below n.
func (n name) child(at level, id string) name {
	n.at = at
	n.ids[n.depth()-1] = id
	return n
}

// sibling is the name of what is called id in the same collection.
func (n name) sibling(id string) name {
	n.ids[n.depth()-1] = id
	return n
}

// up is the name at a level that n lies below.
func (n name) up(at level) name {
	for i := at.depth(); i < n.depth(); i++ {
		n.ids[i] = ""
	}
	n.at = at
	return n
}

// wild reports whether a part of the name stands for every id.
func (n name) wild() bool { return slices.Contains(n.ids[:n.depth()], anyID) }

// holds reports whether the resource full is n or lies below it, where parts of
// n may be "-". full is a name of this package's making.
func (n name) holds(full string) bool {
	path := n.at.path()
	for i := range n.depth() {
		collection, rest, _ := strings.Cut(full, "/")
		id, rest, more := strings.Cut(rest, "/")
		if collection != path[i] || id != n.ids[i] && n.ids[i] != anyID {
			return false
		}
		if !more && i < n.depth()-1 {
			return false
		}
		full = rest
	}
	return true
}

// checkParent says whether resources may be made in a location of a project.
func checkParent(n name) error {
	if n.project() == anyID {
		return violation("parent", "%q is not a project: want the id of one", n.project())
	}
	if !contract.IsLabel(n.location()) {
		return violation("parent", "%q is not a location: want the name of one, such as us-central1", n.location())
	}
	return nil
}
