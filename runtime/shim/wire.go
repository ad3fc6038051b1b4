package shim

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// maxMessage bounds one message: the largest environment the contract allows
// (1,000 variables of 32 KiB name and value each, escaped) does not fit an exec
// anyway, so this is the kernel's limit for arguments with room for JSON.
const maxMessage = 16 << 20

// Protocol is the version of the protocol. It rises with every change that an
// older daemon or an older shim would misunderstand: a shim outlives its daemon,
// and the next one may be of another version.
const Protocol = 2

// Methods of the protocol.
const (
	MethodFilter = "filter"
	MethodCreate = "create"
	MethodStart  = "start"
	MethodSignal = "signal"
	MethodDelete = "delete"
	MethodList   = "list"
	MethodAck    = "ack"
	MethodHold   = "hold"
	MethodFetch  = "fetch"
	MethodDrop   = "drop"
	MethodEnd    = "end"
)

// Greeting is the first message of every connection, from the shim. Its form
// never changes, so that any two versions understand each other this far.
type Greeting struct {
	// Protocol is the version that the shim speaks.
	Protocol int `json:"protocol"`
	// PID is the shim's process id.
	PID int `json:"pid"`
}

// StartRequest asks for a container to be started.
type StartRequest struct {
	ID        string `json:"id"`
	Container int    `json:"container,omitempty"`
}

// SignalRequest asks for a signal to an instance.
type SignalRequest struct {
	ID     string         `json:"id"`
	Signal syscall.Signal `json:"signal"`
	// All sends it to every process of every container, and not to the main
	// processes of those that run alone; only SIGKILL may be sent so.
	All bool `json:"all,omitempty"`
}

// Message is one message in either direction: a call, its answer, or what the
// shim says unasked, which is the greeting and the exits.
type Message struct {
	Hello *Greeting `json:"hello,omitempty"`
	// Call pairs a call with its answer; 0 for what is said unasked.
	Call   uint64          `json:"call,omitempty"`
	Method string          `json:"method,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Err    *wireError      `json:"err,omitempty"`
	Exit   *Exit           `json:"exit,omitempty"`
	// Files counts the descriptors that travel with the message.
	Files int `json:"files,omitempty"`
}

type wireError struct {
	Code string `json:"code,omitempty"`
	Text string `json:"text"`
}

// Conn carries messages and descriptors over a unix stream socket. Send may be
// called from several goroutines, Receive from one.
type Conn struct {
	unix *net.UnixConn

	// sending serialises Send.
	sending sync.Mutex

	// buf holds bytes received and not yet consumed; rights the descriptors
	// that came with them, as many at a time as were sent. Both belong to
	// Receive.
	buf    []byte
	rights [][]*os.File
}

// NewConn takes over c.
func NewConn(c *net.UnixConn) *Conn { return &Conn{unix: c} }

// Close closes the connection; a blocked Receive returns.
func (c *Conn) Close() error { return c.unix.Close() }

// Send writes m and passes on files, which stay the caller's. What cannot be
// sent at all is ErrUnsendable, and the connection is as good as before.
func (c *Conn) Send(m *Message, files ...syscall.Conn) error {
	m.Files = len(files)
	if len(files) > maxFiles {
		return fmt.Errorf("%w: message with %d descriptors is above the limit of %d", ErrUnsendable, len(files), maxFiles)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("%w: encode message: %v", ErrUnsendable, err)
	}
	if len(body) > maxMessage {
		return fmt.Errorf("%w: message of %d bytes is above the limit of %d", ErrUnsendable, len(body), maxMessage)
	}
	frame := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	frame = append(frame, body...)
	if len(files) == 0 {
		return c.write(frame, nil)
	}
	var sent error
	if err := withFDs(files, nil, func(fds []int) { sent = c.write(frame, syscall.UnixRights(fds...)) }); err != nil {
		return fmt.Errorf("%w: pass on descriptor: %v", ErrUnsendable, err)
	}
	return sent
}

// write sends one frame; rights travel with its first bytes.
func (c *Conn) write(frame, rights []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	n, _, err := c.unix.WriteMsgUnix(frame, rights, nil)
	if err != nil {
		return err
	}
	_, err = c.unix.Write(frame[n:])
	return err
}

// Receive reads the next message and the descriptors that came with it, which
// become the caller's. One that this process had no room for is nil. It returns
// io.EOF when the other side has closed.
func (c *Conn) Receive() (*Message, []*os.File, error) {
	if err := c.fill(4); err != nil {
		return nil, nil, err
	}
	size := int(binary.BigEndian.Uint32(c.buf))
	if size > maxMessage {
		return nil, nil, fmt.Errorf("message of %d bytes is above the limit of %d", size, maxMessage)
	}
	if err := c.fill(4 + size); err != nil {
		return nil, nil, err
	}
	m := new(Message)
	if err := json.Unmarshal(c.buf[4:4+size], m); err != nil {
		return nil, nil, fmt.Errorf("decode message: %w", err)
	}
	c.buf = append(c.buf[:0], c.buf[4+size:]...)
	files, err := c.takeRights(m.Files)
	return m, files, err
}

// fill reads until buf holds n bytes.
func (c *Conn) fill(n int) error {
	oob := make([]byte, syscall.CmsgSpace(maxFiles*4))
	chunk := make([]byte, max(n-len(c.buf), 32<<10))
	for len(c.buf) < n {
		got, oobn, flags, _, err := c.unix.ReadMsgUnix(chunk, oob)
		if err := c.keepRights(oob[:oobn], flags); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		if got == 0 {
			if len(c.buf) > 0 {
				return io.ErrUnexpectedEOF
			}
			return io.EOF
		}
		c.buf = append(c.buf, chunk[:got]...)
	}
	return nil
}

// Reply answers call with body and files or, if err is set, with that. The files
// stay the caller's.
func (c *Conn) Reply(call uint64, body any, err error, files ...syscall.Conn) error {
	m := &Message{Call: call}
	if err != nil {
		m.Err = encodeError(err)
		return c.Send(m)
	}
	if body != nil {
		if m.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%w: encode reply: %v", ErrUnsendable, err)
		}
	}
	return c.Send(m, files...)
}
