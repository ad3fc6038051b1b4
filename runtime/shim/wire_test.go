package shim

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// connPair is two ends of a connection as the daemon and the shim have it.
func connPair(t *testing.T) (*Conn, *Conn) {
	t.Helper()
	addr := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.DialUnix("unix", nil, addr)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return NewConn(a), NewConn(b)
}

func TestConnCarriesMessagesOfEverySize(t *testing.T) {
	t.Parallel()
	a, b := connPair(t)
	sizes := []int{0, 1, 100, 32 << 10, 1 << 20, 8 << 20}
	errc := make(chan error, 1)
	go func() {
		for _, n := range sizes {
			if err := a.Send(&Message{Method: strings.Repeat("m", n)}); err != nil {
				errc <- err
				return
			}
		}
		errc <- a.Close()
	}()
	for _, n := range sizes {
		m, _, err := b.Receive()
		if err != nil {
			t.Fatalf("message of %d: %v", n, err)
		}
		if len(m.Method) != n {
			t.Errorf("message of %d came with %d", n, len(m.Method))
		}
	}
	if _, _, err := b.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last message: %v, want EOF", err)
	}
	if err := <-errc; err != nil {
		t.Error(err)
	}
}

func TestConnPairsDescriptorsWithTheirMessage(t *testing.T) {
	t.Parallel()
	a, b := connPair(t)
	names := []string{"first", "", "third", "", "a b c"}
	for _, n := range names {
		var files []syscall.Conn
		for n := range strings.FieldsSeq(n) {
			f, err := os.Create(filepath.Join(t.TempDir(), n))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString(n); err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if err := a.Send(&Message{Method: n}, files...); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range names {
		m, files, err := b.Receive()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(n)
		if m.Method != n || len(files) != len(want) {
			t.Fatalf("got %q with %d descriptors, want %q", m.Method, len(files), n)
		}
		for i, f := range files {
			got := make([]byte, 16)
			k, _ := f.ReadAt(got, 0)
			if string(got[:k]) != want[i] {
				t.Errorf("descriptor %d of %q reads %q", i, n, got[:k])
			}
			f.Close()
		}
	}
}

// A process without room for another descriptor gets those of a message in part;
// the messages after it get all of theirs.
func TestDescriptorsThatWereCutOffAreNil(t *testing.T) {
	t.Parallel()
	one, two := os.Stdin, os.Stdout
	c := &Conn{rights: [][]*os.File{{one}, nil, {one, two}}}
	for _, want := range [][]*os.File{{one, nil}, {nil}, {one, two}} {
		got, err := c.takeRights(len(want))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	for _, n := range []int{-1, 1, maxFiles + 1} {
		if _, err := c.takeRights(n); err == nil {
			t.Errorf("took %d descriptors that never came", n)
		}
	}
}

// contract: ATK-35
func TestConnRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	a, b := connPair(t)
	if err := a.Send(&Message{Method: strings.Repeat("m", maxMessage)}); !errors.Is(err, ErrUnsendable) {
		t.Errorf("sent a message above the limit: %v", err)
	}
	if err := a.Send(new(Message), make([]syscall.Conn, maxFiles+1)...); !errors.Is(err, ErrUnsendable) {
		t.Errorf("sent descriptors above the limit: %v", err)
	}
	if _, err := a.unix.Write([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Receive(); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("received a message above the limit: %v", err)
	}
}

func TestErrorsKeepTheirIdentityOverTheWire(t *testing.T) {
	t.Parallel()
	for code, kind := range wireCodes {
		got := encodeError(errors.Join(errors.New("context"), kind)).decode()
		if !errors.Is(got, kind) || !strings.Contains(got.Error(), "context") {
			t.Errorf("%s: %v", code, got)
		}
	}
	err := encodeError(Unstartable(`entrypoint "x" does not exist`)).decode()
	if !errors.Is(err, ErrUnstartable) || err.Error() != `entrypoint "x" does not exist` {
		t.Errorf("unstartable: %v", err)
	}
	if plain := encodeError(errors.New("plain")).decode(); errors.Unwrap(plain) != nil {
		t.Errorf("plain error unwraps to %v", errors.Unwrap(plain))
	}
}
