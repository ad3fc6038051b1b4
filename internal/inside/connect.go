package main

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"time"
)

// connect connects, and sends nothing.
func connect(ctx context.Context, v url.Values) (any, error) {
	patience, err := duration(v, "for", 5*time.Second)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, cmp.Or(v.Get("network"), "tcp"), v.Get("address"))
	if err != nil {
		return map[string]any{"connected": false, "error": err.Error()}, nil
	}
	defer c.Close()
	return map[string]any{"connected": true, "from": c.LocalAddr().String(), "error": ""}, nil
}
