package control

import (
	"slices"
	"strings"

	"runnel/contract"
)

// Depths of a name: how many collections it goes through.
const (
	atLocation  = 2
	atJob       = 3
	atExecution = 4
	atTask      = 5
)

// collections are what names go through, the outermost first.
var collections = [...]string{"projects", "locations", "jobs", "executions", "tasks"}

// anyID stands for every resource of a collection.
const anyID = "-"

// name is a resource's full name, taken apart. It is comparable.
type name struct {
	// ids are the project, the location, the job, the execution, the task: as
	// many as depth says.
	ids   [len(collections)]string
	depth int
}

// parse reads a name of the given depth, which came in the field of a request.
// A project's number is turned into its id.
func (c *Control) parse(field, s string, depth int) (name, error) {
	parts := strings.Split(s, "/")
	n := name{depth: depth}
	ok := len(parts) == 2*depth
	for i := 0; ok && i < depth; i++ {
		n.ids[i] = parts[2*i+1]
		ok = parts[2*i] == collections[i] && isID(n.ids[i])
	}
	if !ok {
		return name{}, violation(field, "%q is not a name: want %s", s, pattern(depth))
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
func (c *Control) parseOne(field, s string, depth int) (name, error) {
	n, err := c.parse(field, s, depth)
	if err == nil && n.wild() {
		return name{}, violation(field, "%q stands for several resources: want the name of one", s)
	}
	return n, err
}

// pattern is what names of a depth look like.
func pattern(depth int) string {
	parts := make([]string, depth)
	for i, collection := range collections[:depth] {
		parts[i] = collection + "/" + strings.ToUpper(strings.TrimSuffix(collection, "s"))
	}
	return strings.Join(parts, "/")
}

// split takes apart a name that this package has put together.
func split(full string) name {
	parts := strings.Split(full, "/")
	n := name{depth: len(parts) / 2}
	for i := range n.depth {
		n.ids[i] = parts[2*i+1]
	}
	return n
}

// String is the full name.
func (n name) String() string {
	var b strings.Builder
	for i := range n.depth {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(collections[i])
		b.WriteByte('/')
		b.WriteString(n.ids[i])
	}
	return b.String()
}

// id is the last part.
func (n name) id() string { return n.ids[n.depth-1] }

func (n name) project() string  { return n.ids[0] }
func (n name) location() string { return n.ids[1] }

// child is the name of what is called id right below n.
func (n name) child(id string) name {
	n.ids[n.depth] = id
	n.depth++
	return n
}

// up is the name at a lesser depth that n lies below.
func (n name) up(depth int) name {
	for i := depth; i < n.depth; i++ {
		n.ids[i] = ""
	}
	n.depth = depth
	return n
}

// wild reports whether a part of the name stands for every id.
func (n name) wild() bool { return slices.Contains(n.ids[:n.depth], anyID) }

// holds reports whether the resource full is n or lies below it, where parts of
// n may be "-". full is a name of this package's making.
func (n name) holds(full string) bool {
	for i := range n.depth {
		_, rest, _ := strings.Cut(full, "/")
		id, rest, more := strings.Cut(rest, "/")
		if id != n.ids[i] && n.ids[i] != anyID {
			return false
		}
		if !more && i < n.depth-1 {
			return false
		}
		full = rest
	}
	return true
}

// checkParent says whether jobs may be made in a location of a project.
func checkParent(n name) error {
	if n.project() == anyID {
		return violation("parent", "%q is not a project: want the id of one", n.project())
	}
	if !contract.IsLabel(n.location()) {
		return violation("parent", "%q is not a location: want the name of one, such as us-central1", n.location())
	}
	return nil
}
