package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// errNoUpstream says that the host has no resolver to ask.
var errNoUpstream = errors.New("no upstream resolver")

// forwarder asks the host's resolvers.
type forwarder struct {
	resolvers *resolvers
	timeout   time.Duration
	slots     chan struct{}
	buffers   sync.Pool // of *[maxMessage]byte
}

// exchange asks the resolvers in turn until one answers. Each query has a
// socket of its own, connected, so that the kernel picks a random port and drops
// what others send, and an identifier of its own, for a guess to have to hit
// both. The answer carries the query's identifier again.
func (f *forwarder) exchange(ctx context.Context, network string, query []byte) ([]byte, error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	err := errNoUpstream
	for _, upstream := range f.resolvers.list() {
		var answer []byte
		if answer, err = f.ask(ctx, network, upstream, query); err == nil {
			copy(answer, query[:2])
			return answer, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// ask asks one resolver.
func (f *forwarder) ask(ctx context.Context, network string, upstream netip.AddrPort, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, upstream.String())
	if err != nil {
		return nil, fmt.Errorf("ask %v: %w", upstream, err)
	}
	defer conn.Close()
	// The context ends every wait below, for its time or for its cause.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	sent := append([]byte(nil), query...)
	binary.BigEndian.PutUint16(sent, uint16(rand.Uint32()))
	var answer []byte
	if network == "tcp" {
		answer, err = askTCP(conn, sent)
	} else {
		answer, err = f.askUDP(conn, sent)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %v: %w", upstream, err)
	}
	return answer, nil
}

// askUDP waits for the answer among whatever arrives.
func (f *forwarder) askUDP(conn net.Conn, query []byte) ([]byte, error) {
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	buf, _ := f.buffers.Get().(*[maxMessage]byte)
	if buf == nil {
		buf = new([maxMessage]byte)
	}
	defer f.buffers.Put(buf)
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			return nil, err
		}
		if answers(buf[:n], query) {
			return append([]byte(nil), buf[:n]...), nil
		}
	}
}

// errWrongAnswer says that what came over a connection is no answer to what was
// asked over it.
var errWrongAnswer = errors.New("the answer is to another question")

func askTCP(conn net.Conn, query []byte) ([]byte, error) {
	if err := writeTCP(conn, query); err != nil {
		return nil, err
	}
	answer, err := readTCP(conn)
	if err != nil {
		return nil, err
	}
	if !answers(answer, query) {
		return nil, errWrongAnswer
	}
	return answer, nil
}

// answers reports whether msg is an answer to query: it has the identifier and
// repeats the question. A refusal may leave the question out.
func answers(msg, query []byte) bool {
	var asked, answered dnsmessage.Parser
	qh, err := asked.Start(query)
	if err != nil {
		return false
	}
	ah, err := answered.Start(msg)
	if err != nil || !ah.Response || ah.ID != qh.ID {
		return false
	}
	q, err := asked.Question()
	if err != nil {
		return false
	}
	a, err := answered.Question()
	if errors.Is(err, dnsmessage.ErrSectionDone) {
		return ah.RCode != dnsmessage.RCodeSuccess
	}
	return err == nil && a.Type == q.Type && a.Class == q.Class && sameName(a.Name, q.Name)
}

// writeTCP sends a message with its length before it, in one segment where
// possible.
func writeTCP(w io.Writer, msg []byte) error {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(msg)), uint16(len(msg)))
	_, err := w.Write(append(framed, msg...))
	return err
}

// readTCP reads a message with its length before it.
func readTCP(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}
