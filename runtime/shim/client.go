package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// greetTime bounds the wait for the shim's greeting: longer than a shim gives
// the calls of the daemon before.
const greetTime = 30 * time.Second

// Client calls one shim. Its methods may be called from several goroutines.
// Once the shim has gone away every call returns ErrGone.
type Client struct {
	conn  *Conn
	pid   int // the shim's
	exits func(Exit)
	// done is closed when the reading goroutine has ended.
	done chan struct{}

	// mu guards the calls that wait for an answer; waiting is nil once the
	// connection has ended.
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan answer
}

// answer is the answer to one call, and the descriptors that came with it.
type answer struct {
	*Message
	files []*os.File
}

// Dial connects to the shim of directory dir, and takes the place of who was
// connected before. exits is called for every exit, those not yet acknowledged
// first, from one goroutine; it must not block for long and not call the client.
// Errors: ErrGone where there is no shim, ErrProtocol.
func Dial(dir string, exits func(Exit)) (*Client, error) {
	in, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("dial shim: %w", err)
	}
	defer in.Close()
	c, err := net.DialUnix("unix", nil, AddrIn(in, socketName, "unix"))
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
		return nil, fmt.Errorf("dial shim: %w: nobody listens", ErrGone)
	}
	if err != nil {
		return nil, fmt.Errorf("dial shim: %w", err)
	}
	client := &Client{
		conn:    NewConn(c),
		exits:   exits,
		done:    make(chan struct{}),
		waiting: map[uint64]chan answer{},
	}
	if err := client.meet(); err != nil {
		_ = c.Close() // nothing has been said
		return nil, fmt.Errorf("dial shim: %w", err)
	}
	go client.read()
	return client, nil
}

// meet waits for the shim's greeting and sees that both speak one language.
func (c *Client) meet() error {
	if err := c.conn.unix.SetReadDeadline(time.Now().Add(greetTime)); err != nil {
		return err
	}
	m, files, err := c.conn.Receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no greeting within %v: %w", greetTime, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrGone, err)
	}
	closeFiles(files)
	if m.Hello == nil {
		return fmt.Errorf("%w: it does not greet", ErrProtocol)
	}
	if m.Hello.Protocol != Protocol {
		return fmt.Errorf("%w: process %d speaks protocol %d, this program %d: "+
			"let the version that started it finish what it runs, or end process %[2]d, and what it runs with it",
			ErrProtocol, m.Hello.PID, m.Hello.Protocol, Protocol)
	}
	c.pid = m.Hello.PID
	return c.conn.unix.SetReadDeadline(time.Time{})
}

// Close ends the connection and waits for the reading goroutine. The shim and
// its containers carry on.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	return err
}

// Done is closed when the connection has ended, by Close or because the shim
// has gone away.
func (c *Client) Done() <-chan struct{} { return c.done }

// PID is the shim's process id.
func (c *Client) PID() int { return c.pid }

// call sends one call and waits for its answer, which brings no descriptors.
func (c *Client) call(ctx context.Context, method string, in, out any, files ...syscall.Conn) error {
	a, err := c.ask(ctx, method, in, files...)
	if err != nil {
		return err
	}
	closeFiles(a.files)
	return a.unpack(out)
}

// ask sends one call and waits for its answer. The descriptors in it become the
// caller's.
func (c *Client) ask(ctx context.Context, method string, in any, files ...syscall.Conn) (answer, error) {
	m := &Message{Method: method}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return answer{}, fmt.Errorf("encode %s: %w", method, err)
		}
		m.Body = body
	}
	answered := make(chan answer, 1)
	if !c.expect(m, answered) {
		return answer{}, ErrGone
	}
	defer c.forget(m.Call, answered)
	if err := c.conn.Send(m, files...); errors.Is(err, ErrUnsendable) {
		return answer{}, fmt.Errorf("%s: %w", method, err)
	} else if err != nil {
		return answer{}, fmt.Errorf("%w: %s: %v", ErrGone, method, err)
	}
	select {
	case a := <-answered:
		return a, nil
	case <-c.done:
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
	select {
	case a := <-answered: // the last that came
		return a, nil
	default:
		return answer{}, ErrGone
	}
}

// unpack reads an answer's body into out, if wanted, or returns its error.
func (m *Message) unpack(out any) error {
	if m.Err != nil {
		return m.Err.decode()
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(m.Body, out); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// expect numbers m and registers who waits for its answer; false once the
// connection has ended.
func (c *Client) expect(m *Message, answered chan answer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return false
	}
	c.last++
	m.Call = c.last
	c.waiting[m.Call] = answered
	return true
}

// forget ends the wait for an answer; the descriptors of one that has come and
// that nobody took are closed.
func (c *Client) forget(call uint64, answered chan answer) {
	c.mu.Lock()
	delete(c.waiting, call)
	c.mu.Unlock()
	select {
	case a := <-answered:
		closeFiles(a.files)
	default:
	}
}

// read delivers answers and exits until the connection ends.
func (c *Client) read() {
	defer close(c.done)
	for {
		m, files, err := c.conn.Receive()
		if err != nil {
			c.mu.Lock()
			c.waiting = nil
			c.mu.Unlock()
			c.conn.discard()
			return
		}
		if m.Exit != nil {
			closeFiles(files)
			c.exits(*m.Exit)
			continue
		}
		c.deliver(answer{m, files})
	}
}

// deliver hands an answer to who waits for it, if anybody still does.
func (c *Client) deliver(a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answered := c.waiting[a.Call]
	if answered == nil {
		closeFiles(a.files)
		return
	}
	answered <- a // has room: each call is answered once
	delete(c.waiting, a.Call)
}
