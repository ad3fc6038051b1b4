package control

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
)

// NumberOf is the number of a project: ProjectNumber for Project, the number
// itself for one that is only known by it, and else one derived from the id,
// always the same.
func (c Config) NumberOf(project string) string {
	switch {
	case project == c.Project:
		return c.ProjectNumber
	case isNumber(project):
		return project
	}
	const digits12 = 900_000_000_000
	sum := sha256.Sum256([]byte("project " + project))
	return strconv.FormatUint(digits12/9+binary.BigEndian.Uint64(sum[:])%digits12, 10)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// projects remembers the projects in use, so that their numbers can be turned
// back into ids. Safe for concurrent use.
type projects struct {
	mu sync.RWMutex
	// ids are by number.
	ids map[string]string // guarded by mu
}

// use notes that a project is in use.
func (p *projects) use(id, number string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil {
		p.ids = make(map[string]string)
	}
	p.ids[number] = id
}

// id is that of the project with the number, empty if there is none.
func (p *projects) id(number string) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ids[number]
}

// Project is the id of the project that is meant where none is named.
func (c *Control) Project() string { return c.config.Project }

// Region is the location that is meant where none is named.
func (c *Control) Region() string { return c.config.Region }

// ProjectID is the id of the project with an id or a number. A number that
// belongs to no project in use is taken for an id.
func (c *Control) ProjectID(idOrNumber string) string {
	if !isNumber(idOrNumber) {
		return idOrNumber
	}
	if id := c.projects.id(idOrNumber); id != "" {
		return id
	}
	return idOrNumber
}

// ProjectNumber is the number of the project with the id.
func (c *Control) ProjectNumber(id string) string { return c.config.NumberOf(id) }
