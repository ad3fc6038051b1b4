package runtime

import (
	"context"
	"errors"
	"fmt"
	stdnet "net"
	"sync"
	"sync/atomic"

	"runnel/contract"
	"runnel/metadata"
	rnet "runnel/net"
)

// slotSockets is how many sockets a slot itself keeps open in its namespace:
// the metadata listener, and the resolver's two.
const slotSockets = 3

// slot is a place for one instance at a time: a network namespace with its
// address, and in it the metadata server and the resolver.
//
// Making one costs more than anything else about a short task but the container
// itself, so a slot whose instance has left no socket behind is used again.
type slot struct {
	*rnet.Attachment
	// identity is that of the instance in the slot, nil between two.
	identity atomic.Pointer[metadata.Identity]

	listener stdnet.Listener
	serving  sync.WaitGroup
	stop     context.CancelFunc
}

// slotListener tells the metadata server in which slot a connection arrived;
// an instance cannot influence it.
type slotListener struct {
	stdnet.Listener
	slot *slot
}

// withSlot is the BaseContext of the metadata server.
func withSlot(l stdnet.Listener) context.Context {
	s := l.(slotListener).slot
	return metadata.WithIdentity(context.Background(), s.identity.Load)
}

// openSlot attaches a namespace and starts to answer in it.
func (l *Launcher) openSlot(ctx context.Context) (_ *slot, err error) {
	a, err := l.network.Attach(ctx)
	if err != nil {
		return nil, fmt.Errorf("attach network: %w", err)
	}
	s := &slot{Attachment: a}
	var serve context.Context
	serve, s.stop = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()

	if s.listener, err = a.Listen("tcp", contract.MetadataAddress+":80"); err != nil {
		return nil, fmt.Errorf("listen for metadata: %w", err)
	}
	s.serving.Go(func() {
		_ = l.metadata.Serve(slotListener{metadata.Limit(s.listener), s}) // ends when the listener is closed
	})
	udp, err := a.ListenPacket("udp", contract.MetadataAddress+":53")
	if err != nil {
		return nil, fmt.Errorf("listen for the resolver: %w", err)
	}
	s.serving.Go(func() { _ = l.resolver.ServeUDP(serve, udp) }) // ends with serve
	tcp, err := a.Listen("tcp", contract.MetadataAddress+":53")
	if err != nil {
		return nil, fmt.Errorf("listen for the resolver: %w", err)
	}
	s.serving.Go(func() { _ = l.resolver.ServeTCP(serve, tcp) }) // as above
	l.slots.opened(s)
	return s, nil
}

// close stops answering and gives the namespace up.
func (s *slot) close() error {
	s.stop()
	if s.listener != nil {
		_ = s.listener.Close() // Serve returns; nothing else is left to know
	}
	s.serving.Wait()
	return s.Attachment.Close()
}

// slots knows every slot there is, and keeps those that wait for an instance.
type slots struct {
	// mu guards what follows.
	mu   sync.Mutex
	open map[*slot]bool
	// free waits for instances, the one that has rested longest first: what a
	// remote end remembers of an address fades.
	free []*slot
	// keep bounds free.
	keep int
}

// opened registers a new slot.
func (p *slots) opened(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[*slot]bool{}
	}
	p.open[s] = true
}

// take returns a free slot, or nil.
func (p *slots) take() *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return nil
	}
	s := p.free[0]
	p.free = p.free[1:]
	return s
}

// put keeps s for the next instance if nothing of the last is left in it, nor
// in what the host remembers of its connections, and closes it otherwise.
func (p *slots) put(s *slot) error {
	s.identity.Store(nil)
	quiet, err := s.Quiet(slotSockets)
	if err == nil && quiet {
		err = s.Forget()
	}
	if err == nil && quiet && p.offer(s) {
		return nil
	}
	return errors.Join(err, p.drop(s))
}

// offer adds s to the free ones if there is room.
func (p *slots) offer(s *slot) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) >= p.keep {
		return false
	}
	p.free = append(p.free, s)
	return true
}

// drop closes s for good.
func (p *slots) drop(s *slot) error {
	p.mu.Lock()
	delete(p.open, s)
	p.mu.Unlock()
	return s.close()
}

// drain closes every slot, also those of instances that could not be deleted,
// and keeps none from now on.
func (p *slots) drain() error {
	p.mu.Lock()
	open := p.open
	p.open, p.free, p.keep = nil, nil, 0
	p.mu.Unlock()
	var errs []error
	for s := range open {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
