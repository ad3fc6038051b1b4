package image

import (
	"errors"
	"strings"
	"testing"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// contract: IMG-9, IMG-10
func TestParseReference(t *testing.T) {
	t.Parallel()
	hub := func(repo, tag string) Reference {
		return Reference{Registry: "index.docker.io", Repository: repo, Tag: tag}
	}
	for s, want := range map[string]Reference{
		"nginx":                      hub("library/nginx", "latest"),
		"nginx:1.27":                 hub("library/nginx", "1.27"),
		"docker.io/nginx":            hub("library/nginx", "latest"),
		"docker://nginx":             hub("library/nginx", "latest"),
		"user/app":                   hub("user/app", "latest"),
		"gcr.io/p/a/b:t":             {Registry: "gcr.io", Repository: "p/a/b", Tag: "t"},
		"localhost:5000/x":           {Registry: "localhost:5000", Repository: "x", Tag: "latest"},
		"[::1]:5000/x:y":             {Registry: "[::1]:5000", Repository: "x", Tag: "y"},
		"nginx@" + someDigest:        {Registry: "index.docker.io", Repository: "library/nginx", Digest: someDigest},
		"h:1/n:1.27@" + someDigest:   {Registry: "h:1", Repository: "n", Digest: someDigest},
		"oci:/a/b":                   {Source: SourceOCI, Path: "/a/b"},
		"oci:rel:v1":                 {Source: SourceOCI, Path: "rel", Tag: "v1"},
		"oci-archive:/a.tar":         {Source: SourceOCIArchive, Path: "/a.tar"},
		"docker-archive:a.tar:n:1.2": {Source: SourceDockerArchive, Path: "a.tar", Tag: "n:1.2"},
	} {
		got, err := ParseReference(s)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
			continue
		}
		if again, err := ParseReference(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is %+v, %v", s, got, again, err)
		}
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range badReferences() {
		if got, err := ParseReference(s); !errors.Is(err, ErrReference) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}

func badReferences() []string {
	return []string{
		"", ":", "@", "/", "nginx:", "nginx@", "Nginx", "a b", "a//b", "x:tag:tag", "-x", "x@sha256:00", "x@md5:00",
		"x@sha256:../../../../../../../../../../../../../../../../../../../../etc/pass", "https://nginx", "oci:", "oci::tag",
		"oci:dir:", "oci-archive:\x00", "../x", strings.Repeat("a", 300), "h:port/x", "\xff",
		"x@" + strings.ToUpper(someDigest),
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range badReferences() {
		f.Add(s)
	}
	f.Add("host:5000/a/b_c.d-e:T@" + someDigest)
	f.Add("docker-archive:x:y:z")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			if !errors.Is(err, ErrReference) || r != (Reference{}) {
				t.Errorf("%q: %+v, %v", s, r, err)
			}
			return
		}
		again, err := ParseReference(r.String())
		if err != nil || again != r {
			t.Errorf("%q: %+v is written %q: %+v, %v", s, r, r, again, err)
		}
		if r.Source == SourceRegistry && strings.Contains(r.Repository, "..") && strings.Contains(r.Repository, "/../") {
			t.Errorf("%q: repository %q leads elsewhere", s, r.Repository)
		}
	})
}
