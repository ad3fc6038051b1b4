package runtime

import (
	"context"
	"errors"
	"fmt"
	stdnet "net"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"runnel/metadata"
	rnet "runnel/net"
)

// slot is a place for one instance at a time: a network namespace with its
// address, and in it the metadata server and the resolver.
//
// Making one costs more than anything else about a short task but the container
// itself, so a slot whose instance has left no socket behind is used again.
type slot struct {
	*rnet.Attachment
	// identity is that of the instance in the slot, nil between two.
	identity atomic.Pointer[metadata.Identity]

	sockets sockets
	serving sync.WaitGroup
	stop    context.CancelFunc
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
func (l *Launcher) openSlot(ctx context.Context) (*slot, error) {
	a, err := l.network.Attach(ctx)
	if err != nil {
		return nil, fmt.Errorf("attach network: %w", err)
	}
	sockets, err := listen(a)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return l.serveSlot(a, sockets, nil), nil
}

// reopenSlot is the slot of an instance that an earlier launcher made: files are
// its namespace and its sockets, as the shim has held them. It takes them over,
// also on failure.
func (l *Launcher) reopenSlot(ctx context.Context, files []*os.File, identity metadata.Identity) (*slot, error) {
	if len(files) == 0 {
		return nil, errors.New("reattach network: no namespace is held")
	}
	sockets, err := inherit(files[1:])
	for _, f := range files[1:] {
		_ = f.Close() // the sockets are copies
	}
	if err != nil {
		_ = files[0].Close() // a namespace is not written to
		return nil, err
	}
	a, err := l.network.Reattach(ctx, files[0])
	if err != nil {
		sockets.close()
		return nil, fmt.Errorf("reattach network: %w", err)
	}
	return l.serveSlot(a, sockets, &identity), nil
}

// serveSlot starts to answer in a namespace, as the given instance, if there is
// one yet.
func (l *Launcher) serveSlot(a *rnet.Attachment, open sockets, identity *metadata.Identity) *slot {
	s := &slot{Attachment: a, sockets: open}
	s.identity.Store(identity)
	var serve context.Context
	serve, s.stop = context.WithCancel(context.Background())
	// Each ends when close does away with its socket.
	s.serving.Go(func() { _ = l.metadata.Serve(slotListener{metadata.Limit(open.metadata), s}) })
	s.serving.Go(func() { _ = l.resolver.ServeUDP(serve, open.udp) })
	s.serving.Go(func() { _ = l.resolver.ServeTCP(serve, open.tcp) })
	l.slots.opened(s)
	return s
}

// close stops answering and gives the namespace up.
func (s *slot) close() error {
	s.stop()
	s.sockets.close()
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
	taken, free := p.abandon()
	return errors.Join(closeSlots(free), closeSlots(taken))
}

// abandon returns the slots that instances have, and those that are free, and
// keeps none from now on.
func (p *slots) abandon() (taken, free []*slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	free = p.free
	for s := range p.open {
		if !slices.Contains(free, s) {
			taken = append(taken, s)
		}
	}
	p.open, p.free, p.keep = nil, nil, 0
	return taken, free
}

func closeSlots(all []*slot) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
