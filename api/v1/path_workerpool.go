package v1

import "strings"

// WorkerPoolPath returns where a v1 file has what a v2 worker pool has at v2path,
// as in "scaling.manualInstanceCount". A path that v1 has no place for stays as
// it is.
func WorkerPoolPath(v2path string) string {
	switch {
	case strings.HasPrefix(v2path, "scaling"):
		return onService(manualKey)
	case strings.HasPrefix(v2path, "instanceSplits"):
		return strings.Replace("spec."+v2path, "].revision", "].revisionName", 1)
	}
	return ServicePath(v2path) // of what both have, v1 has all in the same places
}
