// Package testenv is the ground that privileged tests stand on.
//
// Main moves a package's tests into mount and network namespaces of their own,
// Root and Require say what a test needs of the host, CgroupParent lends it a
// place in the cgroup trees, and NoLeaks proves that it has left nothing
// behind. A Suite stands in for a test where something outlives them all. A
// privileged package starts like this:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
//	func TestAttach(t *testing.T) {
//		testenv.Root(t)
//		testenv.NoLeaks(t)
//		...
//	}
//
// Only test files import it. It imports nothing else of Runnel's, so that every
// package may use it in its own tests. It needs Linux; what needs root says so.
package testenv

// Environment variables that decide whether a test may skip.
const (
	// EnvMustRun set to 1 turns a skip for want of root into a failure: set
	// where the tests are meant to run as root, so that a skip cannot hide.
	EnvMustRun = "RUNNEL_TEST_MUST_RUN"
	// EnvVM set to 1 turns a skip for want of a host feature into a failure
	// too: set in the virtual machine, which has them all.
	EnvVM = "RUNNEL_TEST_VM"
)
