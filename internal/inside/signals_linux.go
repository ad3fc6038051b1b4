package main

import (
	"context"
	"net/url"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// catch tells the signals that come. Those that the runtime uses for itself are
// left out.
func catch(ctx context.Context, v url.Values) (any, error) {
	d, err := duration(v, "for", 10*time.Second)
	if err != nil {
		return nil, err
	}
	until, err := number(v, "until", 1)
	if err != nil {
		return nil, err
	}
	coming := make(chan os.Signal, 64)
	signal.Notify(coming)
	defer signal.Stop(coming)
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	caught := []string{}
	for len(caught) < until {
		select {
		case s := <-coming:
			if number, ok := s.(unix.Signal); ok && number != unix.SIGURG && number != unix.SIGCHLD {
				caught = append(caught, unix.SignalName(number))
			}
		case <-ctx.Done():
			until = 0
		}
	}
	return map[string]any{"caught": caught}, nil
}
