package main

import (
	"slices"
	"testing"
)

func TestLddPaths(t *testing.T) {
	t.Parallel()
	const ldd = `	linux-vdso.so.1 (0x00007ffd2a5f2000)
	libacl.so.1 => /lib/x86_64-linux-gnu/libacl.so.1 (0x00007f4f6a1d6000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f4f6a212000)
`
	want := []string{"/lib/x86_64-linux-gnu/libacl.so.1", "/lib64/ld-linux-x86-64.so.2"}
	if got := lddPaths(ldd); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := lddPaths("\tnot a dynamic executable\n"); len(got) != 0 {
		t.Errorf("a static program needs %q", got)
	}
}
