package look

import (
	"context"
	"encoding/json"
	"slices"
)

// Report is everything there is to see.
type Report struct {
	Start        Start             `json:"start"`
	Descriptors  []Descriptor      `json:"descriptors"`
	IDs          IDs               `json:"ids"`
	Capabilities Capabilities      `json:"capabilities"`
	Confinement  Confinement       `json:"confinement"`
	Signals      Signals           `json:"signals"`
	Limits       map[string]Limit  `json:"limits"`
	Namespaces   map[string]string `json:"namespaces"`
	Mounts       []Mount           `json:"mounts"`
	Doors        map[string]Door   `json:"doors"`
	Powers       map[string]string `json:"powers"`
	Devices      map[string]string `json:"devices"`
	Cgroup       Cgroup            `json:"cgroup"`
	Processes    []Process         `json:"processes"`
	Machine      Machine           `json:"machine"`
	Network      Network           `json:"network"`
	Metadata     Metadata          `json:"metadata"`
}

// Sections are the names of the parts of a Report, in its order.
func Sections() []string {
	return []string{"start", "descriptors", "ids", "capabilities", "confinement", "signals", "limits", "namespaces",
		"mounts", "doors", "powers", "devices", "cgroup", "processes", "machine", "network", "metadata"}
}

// Around looks around. If sections are named it looks at those alone, and leaves
// the others empty. The start is what AtStart has seen.
func Around(ctx context.Context, start Beginning, sections ...string) *Report {
	r := new(Report)
	for name, look := range map[string]func(){
		"start":        func() { r.Start = start.Start },
		"descriptors":  func() { r.Descriptors = start.Descriptors },
		"ids":          func() { r.IDs = ids() },
		"capabilities": func() { r.Capabilities = capabilities(readStatus("self")) },
		"confinement":  func() { r.Confinement = confinement(readStatus("self")) },
		"signals":      func() { r.Signals = start.Signals },
		"limits":       func() { r.Limits = Limits() },
		"namespaces":   func() { r.Namespaces = namespaces() },
		"mounts":       func() { r.Mounts = mounts() },
		"doors":        func() { r.Doors = doors() },
		"powers":       func() { r.Powers = powers() },
		"devices":      func() { r.Devices = devices() },
		"cgroup":       func() { r.Cgroup = cgroup() },
		"processes":    func() { r.Processes = Processes() },
		"machine":      func() { r.Machine = machine() },
		"network":      func() { r.Network = network() },
		"metadata":     func() { r.Metadata = ask(ctx) },
	} {
		if len(sections) == 0 || slices.Contains(sections, name) {
			look()
		}
	}
	return r
}

// Only is what of a report belongs to sections; all of it if none is named.
func (r *Report) Only(sections ...string) (any, error) {
	if len(sections) == 0 {
		return r, nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var all, some map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	some = map[string]json.RawMessage{}
	for _, s := range sections {
		some[s] = all[s]
	}
	return some, nil
}
