package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"runnel/ingress"
)

// heldIngress is the name under which the shim keeps the listeners of requests:
// while a daemon is replaced, who connects waits in the kernel's queue.
const heldIngress = "ingress"

// door is one address where services take requests.
type door struct {
	address string
	// flag is the one that gives the address.
	flag string
	tls  *tls.Config
	// listener is nil until the door is open.
	listener net.Listener
}

// ingressDoors are those that the configuration names, and one at the gateway
// for each that instances could not reach.
func (d *Daemon) ingressDoors() (doors []*door, err error) {
	if a := d.cfg.Ingress.Address; a != "" {
		doors = append(doors, &door{address: a, flag: "--ingress"})
	}
	if a := d.cfg.Ingress.TLSAddress; a != "" {
		config, err := d.ingressTLS()
		if err != nil {
			return nil, fmt.Errorf("cannot set up TLS of services: %w", err)
		}
		doors = append(doors, &door{address: a, flag: "--ingress-tls", tls: config})
	}
	for _, o := range doors {
		host, port, err := net.SplitHostPort(o.address)
		if ip, _ := netip.ParseAddr(host); err == nil && host != "" && !ip.IsUnspecified() {
			doors = append(doors, &door{address: net.JoinHostPort(d.machine.Gateway().String(), port), flag: o.flag, tls: o.tls})
		}
	}
	return doors, nil
}

// openIngress listens where services take requests: on the sockets of an earlier
// daemon, where the shim has kept them, so that nobody is refused.
func (d *Daemon) openIngress(ctx context.Context) error {
	d.requests = ingress.New(ingress.Config{Verify: d.verify, Record: d.told.Record, Logger: d.log})
	doors, err := d.ingressDoors()
	if err != nil {
		return err
	}
	held, err := d.heldListeners(ctx)
	if err != nil {
		return err
	}
	for _, o := range doors {
		if i := slices.IndexFunc(held, func(l net.Listener) bool { return sameAddress(l.Addr(), o.address) }); i >= 0 {
			o.listener = held[i]
			held = slices.Delete(held, i, i+1)
		}
	}
	for _, l := range held {
		_ = l.Close() // nobody takes requests there any more
	}
	for _, o := range doors {
		if o.listener == nil {
			if o.listener, err = listenTCP(ctx, o.address, o.flag); err != nil {
				return err
			}
		}
		d.push(o.listener)
	}
	d.doors = doors
	return d.holdListeners(ctx)
}

// verify tells whose identity token one is.
func (d *Daemon) verify(token string, audiences []string) (email string, err error) {
	email, err = d.machine.Signer.Verify(token, audiences)
	if err != nil {
		err = fmt.Errorf("%w: %v", ingress.ErrToken, err)
	}
	return email, err
}

// heldListeners are those that the shim keeps.
func (d *Daemon) heldListeners(ctx context.Context) (all []net.Listener, err error) {
	files, err := d.machine.Launcher.Held(ctx, heldIngress)
	if err != nil {
		return nil, fmt.Errorf("cannot take over the listeners of services: %w", err)
	}
	for _, f := range files {
		l, err := net.FileListener(f)
		_ = f.Close() // the listener has its own
		if err == nil {
			all = append(all, l)
		}
	}
	return all, nil
}

// holdListeners has the shim keep the listeners from now on.
func (d *Daemon) holdListeners(ctx context.Context) error {
	conns := make([]syscall.Conn, len(d.doors))
	for i, o := range d.doors {
		conns[i] = o.listener.(*net.TCPListener)
	}
	if err := d.machine.Launcher.Hold(ctx, heldIngress, conns...); err != nil {
		return fmt.Errorf("cannot keep the listeners of services: %w", err)
	}
	return nil
}

// listenTCP listens, or says which flag gives another address.
func listenTCP(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen on %s: something else does; give this one an %s of its own", address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}

// sameAddress reports whether a listener is what listening at an address would
// give.
func sameAddress(have net.Addr, want string) bool {
	a, err := net.ResolveTCPAddr("tcp", want)
	if err != nil || a.Port == 0 {
		return false
	}
	h := have.(*net.TCPAddr)
	return h.Port == a.Port && (h.IP.Equal(a.IP) || h.IP.IsUnspecified() && (a.IP == nil || a.IP.IsUnspecified()))
}

// portOf is the port of an address such as :8080; 0 where there is none.
func portOf(address string) uint16 {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}

// url is where people find a host of services.
func (d *Daemon) url(host string) string {
	scheme, address, usual := "http", d.cfg.Ingress.Address, uint16(80)
	if address == "" || d.cfg.Ingress.TLSAddress != "" && !strings.HasSuffix(d.cfg.Ingress.Domain, "localhost") {
		scheme, address, usual = "https", d.cfg.Ingress.TLSAddress, 443
	}
	for _, o := range d.doors {
		if o.address == address {
			address = o.listener.Addr().String()
		}
	}
	if port := portOf(address); port != usual && port != 0 {
		host = net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	return scheme + "://" + host
}

// serveIngress takes requests of a door until it is shut down. What instances
// of this host send comes in at the network's gateway, and is internal.
func (d *Daemon) serveIngress(o *door) error {
	gateway := d.machine.Gateway()
	return d.requests.Serve(o.listener, ingress.ListenerConfig{
		TLS:      o.tls,
		Internal: func(local net.Addr) bool { return isAt(local, gateway) },
	})
}

// isAt reports whether an address is of the host ip.
func isAt(a net.Addr, ip netip.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.AddrPort().Addr().Unmap() == ip
}
