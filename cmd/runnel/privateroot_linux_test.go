package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"runnel/internal/testenv"
)

func TestPrivateRootIsRemovedAndAnyOtherKept(t *testing.T) {
	t.Parallel()
	r, err := makePrivateRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(r.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.dir); !os.IsNotExist(err) {
		t.Errorf("the private root is still there: %v", err)
	}

	dir := filepath.Join(t.TempDir(), "mine", "deep")
	r, err = openRoot(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the given root is gone: %v", err)
	}
}

func TestRootNameIsStableAndFitsTheNetwork(t *testing.T) {
	t.Parallel()
	a, b := rootName("/var/lib/a"), rootName("/var/lib/b")
	if a == b || a != rootName("/var/lib/a") || len(a) != nameDigits {
		t.Errorf("names %q and %q", a, b)
	}
}

// A root in use is left alone; one whose owner has died goes, and a directory
// that only looks alike stays.
func TestSweepRemovesTheRootsOfTheDead(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	parent := t.TempDir()
	live, err := makePrivateRoot(parent)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, "runnel-run-dead")
	other := filepath.Join(parent, "runnel-other")
	for _, dir := range []string{filepath.Join(dead, "images", "layers"), other} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepPrivateRoots(context.Background(), parent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the dead root is still there: %v", err)
	}
	for _, dir := range []string{live.dir, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := live.close(); err != nil {
		t.Fatal(err)
	}
}
