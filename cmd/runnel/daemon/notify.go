package daemon

import (
	"net"
	"os"
)

// notify tells the service manager, if one started this process, how it stands:
// READY=1, STOPPING=1. Nobody waits for the answer, and none is needed.
// Source: sd_notify(3).
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' { // an abstract address
		path = "\x00" + path[1:]
	}
	c, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(state)) // as above
}
