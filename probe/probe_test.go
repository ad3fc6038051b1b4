package probe

import (
	"errors"
	"net"
	"testing"
	"time"
)

// contract: HC-2
func TestTCP(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	want(t, "a port that listens", Check{Port: port}.Do(t.Context(), loopback), "")
	want(t, "one that does not", Check{Port: closed(t)}.Do(t.Context(), loopback), "connection refused: nothing listens on port")
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	port := silent(t)
	for _, kind := range []Kind{HTTP, GRPC} {
		err := Check{Kind: kind, Port: port, Timeout: 20 * time.Millisecond}.Do(t.Context(), loopback)
		want(t, kind.String(), err, "no answer within 20ms")
		var timeout net.Error
		if errors.As(err, &timeout) {
			t.Errorf("%v: %v is an error of the network", kind, err)
		}
		var late interface{ Timeout() bool }
		if !errors.As(err, &late) || !late.Timeout() {
			t.Errorf("%v: %v is no timeout", kind, err)
		}
	}
	err := Check{Kind: HTTP, Port: port}.Do(t.Context(), loopback)
	want(t, "without a timeout", err, "no answer within 1s")
}

func TestTheCauseOfTheEndIsTold(t *testing.T) {
	t.Parallel()
	port := silent(t)
	for _, kind := range []Kind{TCP, HTTP, GRPC} {
		if err := (Check{Kind: kind, Port: port}).Do(stopped(t), loopback); !errors.Is(err, errStop) {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

// Not parallel: it counts goroutines.
func TestNothingIsLeft(t *testing.T) {
	speaking := raw(t, func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")) })
	mute, refusing := silent(t), closed(t)
	for _, kind := range []Kind{TCP, HTTP, GRPC} {
		noLeaks(t, func() {
			for _, port := range []int{speaking, refusing, mute} {
				for range 5 {
					_ = Check{Kind: kind, Port: port, Timeout: 20 * time.Millisecond}.Do(t.Context(), loopback)
				}
			}
		})
	}
}
