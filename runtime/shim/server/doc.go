// Package server is the shim: the process that creates, starts, signals and
// reaps the containers of one root with libcontainer.
//
// It lives in a mount namespace of its own, with a private tmpfs for all that
// need not outlive it, so that its mounts vanish with it. It takes no
// decisions: the OCI specification, the layers and the network namespace of a
// container come from the daemon, over the protocol of package shim. This is
// the only package that links libcontainer. It needs root.
package server
