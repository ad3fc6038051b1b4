package doctor

import (
	"debug/elf"
	"fmt"
)

// shim looks at the file at path, unless err says why there is none. The shim
// executes itself inside of containers, where there are no shared libraries of
// the host's, so it must be linked statically.
func shim(path string, err error) Finding {
	const name = "runnel-shim"
	if err != nil {
		return missing(name, err.Error(), "install runnel-shim beside runnel")
	}
	program, err := elf.Open(path)
	if err != nil {
		return missing(name, fmt.Sprintf("%s: %v", path, err), "install runnel-shim beside runnel")
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			return missing(name, path+" is linked dynamically", "build it with make build")
		}
	}
	return ok(name, path)
}
