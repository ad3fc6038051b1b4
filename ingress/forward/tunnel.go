package forward

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"runnel/ingress/http1"
)

// lastWords is how long one side of a changed protocol may go on when the other
// has ended.
const lastWords = 5 * time.Second

// tunnel lets both sides speak the protocol that they have changed to, until one
// ends, or the context of the request.
func (x *exchange) tunnel(upgrade string) error {
	if upgrade == "" || !x.framing.Upgrade || !x.upgradesTo(upgrade) {
		return fmt.Errorf("%w: changes to a protocol that was not asked for", ErrMalformed)
	}
	if !x.guard.answer() {
		return errStopped
	}
	h := x.w.Header()
	x.copyFields(h)
	client, buffered, err := x.client.Hijack()
	if err != nil {
		return fmt.Errorf("%w: connection of the client: %v", ErrBadRequest, err)
	}
	defer client.Close()
	x.res.Status, x.res.Answered = x.status, true
	if err := client.SetDeadline(time.Time{}); err != nil {
		return clientGone(err)
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	x.guard.also(client)
	if err := x.writeSwitch(client, h, upgrade); err != nil {
		return clientGone(err)
	}
	if _, err := x.conn.Write(early); err != nil {
		return x.broken(err, false)
	}
	x.res.RequestBytes += int64(len(early))
	up, down := join(client, x.conn.TCPConn)
	x.res.RequestBytes += up
	x.res.ResponseBytes += down
	if !x.guard.release() {
		return errStopped
	}
	return nil
}

// upgradesTo reports whether the answer names the protocol, and no other.
func (x *exchange) upgradesTo(protocol string) bool {
	found := false
	for i := range x.fields {
		if f := &x.fields[i]; f.Kind == http1.Upgrade {
			if !strings.EqualFold(f.Value, protocol) || found {
				return false
			}
			found = true
		}
	}
	return found
}

// writeSwitch writes the head that changes the protocol, and what the instance
// has said since.
func (x *exchange) writeSwitch(client net.Conn, h http.Header, upgrade string) error {
	b := append(x.out[:0], "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"...)
	b = appendField(b, "Upgrade", upgrade)
	for name, values := range h {
		for _, value := range values {
			if http1.IsToken(name) && http1.IsValue(value) {
				b = appendField(b, name, value)
			}
		}
	}
	b = append(b, "\r\n"...)
	x.res.ResponseBytes += int64(len(x.in.Buffered()))
	b = append(b, x.in.Buffered()...)
	x.in.Discard(len(x.in.Buffered()))
	x.out = b
	_, err := client.Write(b)
	return err
}

// join carries bytes both ways until both sides have ended. When one has, the
// other has a moment left. Both may be closed meanwhile.
func join(client, instance net.Conn) (up, down int64) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		up = carry(instance, client)
	}()
	down = carry(client, instance)
	<-done
	return up, down
}

// carry carries bytes one way until that ends.
func carry(to, from net.Conn) int64 {
	n, err := io.Copy(to, from)
	if err != nil {
		_ = to.Close()   // Whatever
		_ = from.Close() // is left cannot be delivered.
		return n
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = to.SetReadDeadline(time.Now().Add(lastWords)) // It may be closed already.
		return n
	}
	_ = to.Close() // It cannot be told otherwise.
	return n
}
