package main

import (
	"slices"
	"strings"
	"testing"
)

func TestHasVirtualization(t *testing.T) {
	t.Parallel()
	for info, want := range map[string]bool{
		"flags\t\t: fpu vmx sse2\n":                  true,
		"flags\t\t: fpu svm\n":                       true,
		"flags\t\t: fpu avx2 vmxnet\nmodel: svm 3\n": false,
		"": false,
	} {
		if got := hasVirtualization(info); got != want {
			t.Errorf("hasVirtualization(%q) = %v", info, got)
		}
	}
}

func TestReadLinesTakesLinesOfAnyLength(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	var got []string
	err := readLines(strings.NewReader("a\r\n\n"+long+"\nlast"), func(s string) { got = append(got, s) })
	if want := []string{"a", "", long, "last"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d lines, %v", len(got), err)
	}
}

func TestPrivilegedPackagesFindsTestenv(t *testing.T) {
	t.Parallel()
	m, err := findModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.privilegedPackages(t.Context(), []string{"internal/"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 || got[0].path != "runnel/internal/testenv" || got[0].cgo {
		t.Errorf("got %+v, want internal/testenv, pure Go", got)
	}
}
