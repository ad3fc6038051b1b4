package look

import (
	"slices"
	"strings"
)

// Mount is one line of /proc/self/mountinfo.
type Mount struct {
	// Point is where it is, Root which part of the file system is there.
	Point  string `json:"point"`
	Root   string `json:"root"`
	Type   string `json:"type"`
	Source string `json:"source"`
	// Options are the mount's, Super those of its file system, Shared its ties to
	// other mount namespaces.
	Options string `json:"options"`
	Super   string `json:"super"`
	Shared  string `json:"shared"`
}

// Has reports whether the mount has an option of its own.
func (m Mount) Has(option string) bool { return slices.Contains(strings.Split(m.Options, ","), option) }

func mounts() (found []Mount) {
	for line := range strings.Lines(textOf("/proc/self/mountinfo")) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		b, a := strings.Fields(before), strings.Fields(after)
		if !ok || len(b) < 6 || len(a) < 3 {
			continue
		}
		found = append(found, Mount{Point: b[4], Root: b[3], Type: a[0], Source: a[1], Options: b[5], Super: a[2], Shared: strings.Join(b[6:], " ")})
	}
	return found
}
