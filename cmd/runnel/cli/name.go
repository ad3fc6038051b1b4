package cli

import (
	"strings"

	"runnel/contract"
)

// NameOf makes the name of a resource from the last element of its image's name;
// where that gives none it is the name of its kind.
func NameOf(kind, image string) string {
	base, _, _ := strings.Cut(image, "@")
	for _, scheme := range []string{"oci:", "oci-archive:", "docker-archive:"} {
		base = strings.TrimPrefix(base, scheme)
	}
	base = base[strings.LastIndexByte(base, '/')+1:]
	base, _, _ = strings.Cut(base, ":")
	base = strings.TrimSuffix(base, ".tar")
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, base)
	name = strings.TrimLeft(name, "-0123456789")
	name = strings.TrimRight(name[:min(len(name), contract.MaxJobName)], "-")
	if contract.CheckJobName(name) != nil {
		return kind
	}
	return name
}
