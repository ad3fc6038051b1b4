package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// EnvBin names the directory that holds the built binaries. Where it is not
// set, Binary builds them.
const EnvBin = "RUNNEL_TEST_BIN"

// builtDir is where this process builds to; Main removes it.
func builtDir() string {
	return filepath.Join(os.TempDir(), "runnel-bin-"+strconv.Itoa(os.Getpid()))
}

// binDir builds the binaries once for a test process.
var binDir = sync.OnceValues(func() (string, error) {
	dir := builtDir()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	top, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("make", "--silent", "-C", filepath.Clean(string(top[:len(top)-1])), "build", "build-test", "BIN="+dir)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return dir, cmd.Run()
})

// Binary is the path of a built binary of this module: "runnel", "runnel-shim",
// "testserver" or "inside". It comes from the directory that EnvBin names, and is built
// if that is not set.
func Binary(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv(EnvBin)
	if dir == "" {
		var err error
		if dir, err = binDir(); err != nil {
			t.Fatalf("build binaries: %v", err)
		}
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("find binary: %v", err)
	}
	return path
}

// removeBuilt removes what Binary has built.
func removeBuilt() {
	_ = os.RemoveAll(builtDir()) // in the directory for temporary files anyway
}
