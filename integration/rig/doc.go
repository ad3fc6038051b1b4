// Package rig is what tests drive the built programs with: a host that nobody
// else uses, the commands that run there and what they print, a daemon with a
// root and addresses of its own, requests to its services, and images made on
// the spot.
//
// It begins with Open, which looks afterwards that nothing is left of what ran:
// no mount, link, rule, process, cgroup or file. Whatever goes wrong fails the
// test that a Host was opened for; For hands a host, or a daemon, to another.
//
// Only test files import it. It needs root, and the built programs.
package rig
