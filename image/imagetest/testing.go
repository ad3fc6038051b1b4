package imagetest

import "testing"

// Registry starts an empty registry for the test and gives its "host:port".
func Registry(t testing.TB) (host string) {
	t.Helper()
	return Serve(t).Host
}

// Serve starts an empty registry for the test, for faults and counts.
func Serve(t testing.TB) *Server {
	t.Helper()
	s, err := NewServer(t.TempDir())
	if err != nil {
		t.Fatalf("start registry: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop registry: %v", err)
		}
	})
	return s
}

// Push builds an image, pushes it and gives what was built.
func Push(t testing.TB, b Build, ref string) *Artifact {
	t.Helper()
	a, err := b.Write(t.TempDir())
	if err != nil {
		t.Fatalf("build %s: %v", ref, err)
	}
	if err := a.Push(t.Context(), ref); err != nil {
		t.Fatalf("push %s: %v", ref, err)
	}
	return a
}

// MustBusybox is Busybox for tests.
func MustBusybox(t testing.TB) Layer {
	t.Helper()
	l, err := Busybox()
	if err != nil {
		t.Fatal(err)
	}
	return l
}
