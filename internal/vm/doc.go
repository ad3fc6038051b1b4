// Package main runs the privileged tests in a small virtual machine that has
// what a test host may lack: cgroup v2 with every controller, every capability,
// a machine name in its firmware.
//
// It fetches Debian's cloud kernel, builds the tests of every package that
// imports internal/testenv, lays them out on a disk, boots QEMU, and
// prints what ran. Nothing is installed and nothing needs root: the kernel is
// unpacked into a cache, the network is off, the disk is thrown away.
//
// The exit status is 0 only if every suite ran at least one test to its end
// and none failed or was skipped for want of the host. It is 1 if tests failed,
// and 2 if none did but the machine died or was out of time, or there was none.
// Nothing that failed is run again; a machine that freezes, as emulated ones
// may, is booted again for what it has not yet run, and the output says so. The
// logs of a run that failed stay in the cache, in a directory that the output
// names.
package main
