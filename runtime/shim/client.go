package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Client calls one shim. Its methods may be called from several goroutines.
// Once the shim has gone away every call returns ErrGone.
type Client struct {
	conn  *Conn
	exits func(Exit)
	// done is closed when the reading goroutine has ended.
	done chan struct{}

	// mu guards the calls that wait for an answer; waiting is nil once the
	// connection has ended.
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan *Message
}

// Dial connects to the shim of directory dir. exits is called for every
// exit, those not yet acknowledged first, from one goroutine; it must not
// block for long and not call the client.
func Dial(dir string, exits func(Exit)) (*Client, error) {
	in, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("dial shim: %w", err)
	}
	defer in.Close()
	c, err := net.DialUnix("unix", nil, AddrIn(in, socketName, "unix"))
	if err != nil {
		return nil, fmt.Errorf("dial shim: %w", err)
	}
	client := &Client{
		conn:    NewConn(c),
		exits:   exits,
		done:    make(chan struct{}),
		waiting: map[uint64]chan *Message{},
	}
	go client.read()
	return client, nil
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

// DefineFilter hands the shim a system-call filter, which it compiles and keeps,
// and returns the name by which containers ask for it. A profile is far larger
// than all the rest of a container's specification, and the same for all.
func (c *Client) DefineFilter(ctx context.Context, profile *specs.LinuxSeccomp) (name string, err error) {
	err = c.call(ctx, MethodFilter, profile, &name)
	return name, err
}

// Create creates a container, up to the exec of its entrypoint, in the network
// namespace netns, which stays the caller's; nil gives it an empty one of its
// own. Errors: ErrUnstartable, ErrExists, ErrGone.
func (c *Client) Create(ctx context.Context, r *CreateRequest, netns *os.File) error {
	if netns == nil {
		return c.call(ctx, MethodCreate, r, nil)
	}
	return c.call(ctx, MethodCreate, r, nil, netns)
}

// Start lets a created container run. Errors: ErrNotFound, ErrStopped, ErrGone.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.call(ctx, MethodStart, id, nil)
}

// Signal sends s to the container's main process. Errors: ErrNotFound,
// ErrStopped, ErrGone.
func (c *Client) Signal(ctx context.Context, id string, s syscall.Signal) error {
	return c.call(ctx, MethodSignal, SignalRequest{ID: id, Signal: s}, nil)
}

// Kill ends every process of the container. Errors: as Signal.
func (c *Client) Kill(ctx context.Context, id string) error {
	return c.call(ctx, MethodSignal, SignalRequest{ID: id, Signal: syscall.SIGKILL, All: true}, nil)
}

// Delete ends the container if it still runs and releases all it held, its
// exit included. A container that does not exist is no error.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.call(ctx, MethodDelete, id, nil)
}

// Ack tells the shim that the exit of id has been recorded.
func (c *Client) Ack(ctx context.Context, id string) error {
	return c.call(ctx, MethodAck, id, nil)
}

// List returns every container the shim has, and the exits of those it no
// longer has that were never acknowledged.
func (c *Client) List(ctx context.Context) ([]Container, error) {
	var out []Container
	err := c.call(ctx, MethodList, nil, &out)
	return out, err
}

// call sends one call and waits for its answer.
func (c *Client) call(ctx context.Context, method string, in, out any, files ...*os.File) error {
	m := &Message{Method: method}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode %s: %w", method, err)
		}
		m.Body = body
	}
	answer := make(chan *Message, 1)
	if !c.expect(m, answer) {
		return ErrGone
	}
	defer c.forget(m.Call)
	if err := c.conn.Send(m, files...); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrGone, method, err)
	}
	select {
	case a := <-answer:
		return a.unpack(out)
	case <-c.done:
		return ErrGone
	case <-ctx.Done():
		return context.Cause(ctx)
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

// expect numbers m and registers answer; false once the connection has ended.
func (c *Client) expect(m *Message, answer chan *Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return false
	}
	c.last++
	m.Call = c.last
	c.waiting[m.Call] = answer
	return true
}

func (c *Client) forget(call uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, call)
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
			return
		}
		for _, f := range files {
			_ = f.Close() // the shim sends none; keep nothing it might, nil included
		}
		if m.Exit != nil {
			c.exits(*m.Exit)
			continue
		}
		c.mu.Lock()
		answer := c.waiting[m.Call]
		c.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	}
}
