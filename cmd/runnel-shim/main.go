// Command runnel-shim is the parent of every container of one Runnel root.
//
// It is started by runnel and not by people. It is also the program that
// libcontainer executes as the first stage of a container, under the name
// "init", which is why it links nothing it does not need.
package main

import (
	"os"
	"runtime"

	"runnel/runtime/shim/server"
)

// init keeps the first thread for main. libcontainer lets threads enter a
// container's namespaces and end there; the first thread cannot end, and
// /proc/self would show what it saw last.
func init() { runtime.LockOSThread() }

func main() { os.Exit(server.Main(os.Args)) }
