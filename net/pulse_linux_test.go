package net

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// pulse is a conversation of an instance with the namespace beyond: a few
// messages out, all of them back, and again. It ends at the first that is lost,
// which for UDP means the first packet.
type pulse struct {
	beats atomic.Int64
	conn  stdnet.Conn
	done  chan struct{}
	err   error // why it ended; read after done
}

// pulseWindow is how many messages are under way at a time.
const pulseWindow = 16

// pulse starts a conversation over "tcp4" or "udp4". The caller must end it while
// the instance is attached, as what has been sent should arrive.
func (w *world) pulse(t *testing.T, network string, ns *os.File) *pulse {
	t.Helper()
	port := w.echo(t, network)
	p := &pulse{done: make(chan struct{})}
	w.in(t, ns, func() (err error) {
		p.conn, err = stdnet.DialTimeout(network, fmt.Sprintf("%s:%d", beyondAddr, port), 10*time.Second)
		return err
	})
	go func() {
		defer close(p.done)
		p.err = converse(p.conn, func() { p.beats.Add(1) })
	}()
	p.goesOn(t)
	return p
}

// end ends the conversation and fails the test if it has ended by itself.
func (p *pulse) end(t *testing.T) {
	t.Helper()
	_ = p.conn.Close()
	<-p.done
	if !errors.Is(p.err, stdnet.ErrClosed) {
		t.Errorf("the conversation with %v ended: %v", p.conn.RemoteAddr(), p.err)
	}
}

// converse exchanges messages until one is lost or the connection is closed.
// Packets may overtake each other on their way.
func converse(c stdnet.Conn, beat func()) error {
	var msg [8]byte
	for n := uint64(0); ; n += pulseWindow {
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		missing := map[uint64]bool{}
		for i := n; i < n+pulseWindow; i++ {
			binary.BigEndian.PutUint64(msg[:], i)
			if _, err := c.Write(msg[:]); err != nil {
				return err
			}
			missing[i] = true
		}
		for len(missing) > 0 {
			if _, err := io.ReadFull(c, msg[:]); err != nil {
				return fmt.Errorf("%d of the messages from %d: %w", len(missing), n, err)
			}
			delete(missing, binary.BigEndian.Uint64(msg[:]))
		}
		beat()
	}
}

// goesOn waits until messages that are sent from now on have come back.
func (p *pulse) goesOn(t *testing.T) {
	t.Helper()
	now := p.beats.Load()
	testenv.Eventually(t, 30*time.Second, func() bool { return p.beats.Load() >= now+3 }, "the conversation goes on")
}

// echo answers in the namespace beyond with what it gets, and returns the port.
func (w *world) echo(t *testing.T, network string) (port int) {
	t.Helper()
	var wg sync.WaitGroup
	var server io.Closer
	ctx, cancel := context.WithCancel(context.Background())
	if network == "udp4" {
		p := w.openUDP(t, w.beyond, 0)
		server, port = p, p.LocalAddr().(*stdnet.UDPAddr).Port
		wg.Go(func() { echoPackets(p) })
	} else {
		var l stdnet.Listener
		w.in(t, w.beyond, func() (err error) {
			l, err = stdnet.Listen("tcp4", ":0")
			return err
		})
		server, port = l, l.Addr().(*stdnet.TCPAddr).Port
		wg.Go(func() { echoConnections(ctx, l, &wg) })
	}
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
		wg.Wait()
	})
	return port
}

func echoPackets(p stdnet.PacketConn) {
	buf := make([]byte, 100)
	for {
		n, from, err := p.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = p.WriteTo(buf[:n], from)
	}
}

// echoConnections goes on until the listener is closed and the context ended.
func echoConnections(ctx context.Context, l stdnet.Listener, wg *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			_, _ = io.Copy(c, c)
			_ = c.Close()
		})
	}
}
