package daemon

import (
	"net"
	"testing"
)

// Who starts a second daemon learns what to give it.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &Daemon{cfg: Config{API: l.Addr().String()}}
	err = d.listen(t.Context())
	if want := "cannot listen on " + d.cfg.API + ": something else does; give this one an --api of its own"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
