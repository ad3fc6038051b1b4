package forward

import (
	"errors"
	"io"
	"net"
	"testing"
)

// What has been written to a client is sent when there is nothing more to read
// from the instance, and not as long as there is.
func TestLookTellsBeforeItWaits(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	look, err := newLook(near.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan struct{}, 10)
	look.before = func() { waits <- struct{}{} }
	read := func(size int) string {
		t.Helper()
		p := make([]byte, size)
		n, err := look.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(p[:n])
	}
	go func() {
		<-waits
		_, _ = io.WriteString(far, "first") // the reader tells
	}()
	if got := read(3) + read(3); got != "first" || len(waits) > 0 {
		t.Errorf("got %q, and waited %d times for what was there", got, len(waits))
	}
	far.Close()
	if n, err := look.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	near.Close()
	if _, err := look.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("when closed: %v", err)
	}
}
