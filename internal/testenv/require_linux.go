package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Feature is something of the host that not every host has.
type Feature string

// The features a test may require.
const (
	// CgroupV2 is a host whose controllers are on the unified hierarchy.
	CgroupV2 Feature = "cgroup v2 with the memory controller"
	// NoFile is the right to set RLIMIT_NOFILE to 25,000, soft and hard.
	NoFile Feature = "RLIMIT_NOFILE of 25000"
	// DMI is a machine whose firmware tells its product name.
	DMI Feature = "/sys/class/dmi/id/product_name"
)

// Root skips the test unless it runs as root, and fails it instead where
// EnvMustRun is 1. It also fails a test whose package does not run under Main:
// as root such a test would change the host.
func Root(t testing.TB) {
	t.Helper()
	if uid := os.Geteuid(); uid != 0 {
		lack(t, fmt.Sprintf("needs root, runs as uid %d", uid), EnvMustRun)
	}
	if !isolated() {
		t.Fatal("privileged test outside a namespace of its own: give the package\n" +
			"\tfunc TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }")
	}
}

// Require skips the test if the host lacks one of features, naming what lacks;
// the run in the virtual machine proves such a test. Where EnvVM is 1 it fails
// instead.
func Require(t testing.TB, features ...Feature) {
	t.Helper()
	for _, f := range features {
		if err := probe(f); err != nil {
			lack(t, fmt.Sprintf("needs %s (%v); the run in the virtual machine proves it", f, err), EnvVM)
		}
	}
}

// Program is the path of a program that a package of Debian's brings. It skips
// the test where there is none, and fails it instead where EnvMustRun is 1; but
// not in the virtual machine, which has no packages and is not the only run.
func Program(t testing.TB, name string) string {
	t.Helper()
	// Not every user's PATH has what is for root.
	for _, file := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(file); err == nil {
			return path
		}
	}
	if os.Getenv(EnvVM) == "1" {
		t.Skipf("needs the program %s; the run on the host proves it", name)
	}
	lack(t, fmt.Sprintf("needs the program %s (make test-setup installs it)", name), EnvMustRun)
	return ""
}

// lack skips the test for reason, or fails it if the environment says that this
// host lacks nothing.
func lack(t testing.TB, reason, env string) {
	t.Helper()
	if os.Getenv(env) == "1" {
		t.Fatalf("%s=1 forbids to skip: %s", env, reason)
	}
	t.Skip(reason)
}

// probe says why the host does not offer f; nil if it does.
func probe(f Feature) error {
	switch f {
	case CgroupV2:
		return probeCgroupV2()
	case NoFile:
		return probeNoFile(25_000)
	case DMI:
		_, err := os.ReadFile("/sys/class/dmi/id/product_name")
		return err
	}
	return fmt.Errorf("no probe knows this feature")
}

// probeCgroupV2 looks for a file that v1 hierarchies do not have.
func probeCgroupV2() error {
	trees, err := cgroupTrees()
	if err != nil {
		return err
	}
	for _, dir := range trees {
		controllers, err := os.ReadFile(dir + "/cgroup.controllers")
		if err == nil && slices.Contains(strings.Fields(string(controllers)), "memory") {
			return nil
		}
	}
	return fmt.Errorf("no cgroup2 mount has it")
}

// probeNoFile tries the limit out, because the right to raise it may come from
// a capability as well as from the present limit.
func probeNoFile(n uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil {
		return err
	}
	if now.Max >= n {
		return nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: now.Cur, Max: n}); err != nil {
		return fmt.Errorf("the hard limit is %d and may not be raised: %w", now.Max, err)
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &now)
}
