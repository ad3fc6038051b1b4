// Package integration drives the built programs as a user would: real images
// from real registries become real containers, and whatever is told about them
// on standard output, on standard error and by the exit status is compared with
// the contract.
//
// There is nothing in it but tests; package rig is what they drive the programs
// with. Each begins with openHost, which gives it a host of its own (mounts,
// network, /var/lib) and looks afterwards that nothing is left of what ran there:
// no mount, link, rule, process, cgroup or file.
//
// The tests need root. Those that say rig.HostOnly need more than the two
// programs and a static busybox, and stay away from the virtual machine.
package integration
