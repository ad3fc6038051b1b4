package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"runnel/api/wire"
)

func TestTokenIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "api-token")
	var all [8]string
	var g sync.WaitGroup
	for i := range all {
		g.Go(func() {
			var err error
			if all[i], err = wire.LoadOrCreateToken(path); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	for _, token := range all {
		if token != all[0] || len(token) < 26 {
			t.Errorf("%q, want %q", token, all[0])
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v %v", names, err)
	}
	other, err := wire.LoadOrCreateToken(filepath.Join(t.TempDir(), "api-token"))
	if err != nil || other == all[0] {
		t.Errorf("another file has the same token: %q %v", other, err)
	}
}

func TestTokenFilesOfOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		mode os.FileMode
		want error
	}{
		{"0123456789abcdef\n", 0o600, nil},
		{"0123456789abcdef", 0o640, nil},
		{"0123456789abcdef", 0o644, wire.ErrToken},
		{"0123456789abcde", 0o600, wire.ErrToken},
		{"", 0o600, wire.ErrToken},
		{"0123456789abcdef 0123456789abcdef", 0o600, wire.ErrToken},
		{"0123456789abcdef\nx", 0o600, wire.ErrToken},
	} {
		path := filepath.Join(t.TempDir(), "token")
		if err := errors.Join(os.WriteFile(path, []byte(tt.text), tt.mode), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		token, err := wire.LoadOrCreateToken(path)
		if !errors.Is(err, tt.want) || err == nil && token != strings.TrimSpace(tt.text) {
			t.Errorf("%q, mode %v: %q %v, want %v", tt.text, tt.mode, token, err, tt.want)
		}
		if err != nil && tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("the error has the token: %v", err)
		}
	}
}
