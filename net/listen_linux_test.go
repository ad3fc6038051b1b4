package net

import (
	"io"
	stdnet "net"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// contract: MD-1
func TestListenIsReachedFromInsideOnly(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	for _, c := range []struct {
		owner *Attachment
		text  string
	}{{a, "first"}, {b, "second"}} {
		l, err := c.owner.Listen("tcp", ServiceAddress+":80")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if conn, err := l.Accept(); err == nil {
				_, _ = io.WriteString(conn, c.text)
				_ = conn.Close()
			}
		}()
		// The same address leads to the owner's listener, in each namespace.
		if got, err := w.reach(c.owner.Namespace(), "tcp4", ServiceAddress, 80, 5*time.Second); got != c.text {
			t.Errorf("got %q, %v, want %q", got, err, c.text)
		}
		_ = l.Close()
		<-done
	}
}

func TestListenPacketAnswers(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	p, err := a.ListenPacket("udp", ServiceAddress+":53")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 10)
		if n, from, err := p.ReadFrom(buf); err == nil {
			_, _ = p.WriteTo(buf[:n], from)
		}
	}()
	if got, err := w.reach(a.Namespace(), "udp4", ServiceAddress, 53, 5*time.Second); got != "?" {
		t.Errorf("got %q, %v", got, err)
	}
	_ = p.Close()
	<-done
}

func TestListenRefusesWhatItCannotDoInside(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	for _, c := range [][2]string{{"tcp6", "[::1]:80"}, {"unix", "/tmp/x"}, {"udp", ServiceAddress + ":53"}, {"tcp", "metadata.google.internal:80"}, {"tcp", ":80"}, {"tcp", "192.0.2.1:80"}} {
		if l, err := a.Listen(c[0], c[1]); err == nil {
			t.Errorf("Listen(%q, %q) succeeded", c[0], c[1])
			_ = l.Close()
		}
	}
	if _, err := a.ListenPacket("tcp", ServiceAddress+":53"); err == nil {
		t.Error("ListenPacket on tcp succeeded")
	}
}

func TestQuietSeesEverySocket(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	l, err := a.Listen("tcp", ServiceAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	quiet := func() bool {
		q, err := a.Quiet(1)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	testenv.Eventually(t, 5*time.Second, quiet, "quiet when new")

	for _, network := range []string{"unix", "udp4", "tcp6", "ip4:icmp"} {
		var c io.Closer
		w.in(t, a.Namespace(), func() (err error) {
			switch network {
			case "unix":
				c, err = stdnet.Listen("unix", t.TempDir()+"/s")
			case "udp4":
				c, err = stdnet.ListenPacket("udp4", "127.0.0.1:0")
			case "tcp6":
				c, err = stdnet.Listen("tcp6", "[::1]:0")
			default:
				c, err = stdnet.ListenPacket(network, "127.0.0.1")
			}
			return err
		})
		if quiet() {
			t.Errorf("quiet with a %s socket", network)
		}
		_ = c.Close()
		testenv.Eventually(t, 5*time.Second, quiet, "quiet after the", network, "socket is closed")
	}
}

func TestQuietSeesTimeWait(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	l, err := a.Listen("tcp", ServiceAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			_ = c.Close() // who closes first waits for a minute
		}
	}()
	_, _ = w.reach(a.Namespace(), "tcp4", ServiceAddress, 80, 5*time.Second)
	<-done
	_ = l.Close()
	testenv.Eventually(t, 5*time.Second, func() bool {
		stat, err := a.sockets()
		return err == nil && stat["sockets"]["used"] == 0 && stat["TCP"]["tw"] == 1
	}, "only TIME_WAIT is left")
	if q, err := a.Quiet(0); err != nil || q {
		t.Errorf("quiet is %v, %v while a connection waits", q, err)
	}
}
