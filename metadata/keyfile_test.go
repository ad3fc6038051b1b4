package metadata_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"runnel/metadata"
)

func keyID(t *testing.T, s *metadata.Signer) string {
	t.Helper()
	return s.JWKS().Keys[0].KeyID
}

func TestKeyIsMadeOnceAndPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "token.pem")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			s, err := metadata.LoadOrCreateSigner(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = s.JWKS().Keys[0].KeyID
		})
	}
	wg.Wait()
	again, err := metadata.LoadOrCreateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if id == "" || id != keyID(t, again) {
			t.Errorf("key ids %q, later %q: want all alike", ids, keyID(t, again))
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory: %v, %v, want mode 0700", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the directory holds %v, %v, want the key alone", files, err)
	}
}

func TestUnusableKeyIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good")
	if _, err := metadata.LoadOrCreateSigner(good); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		mode os.FileMode
	}{
		"empty":            {nil, 0o600},
		"cut short":        {key[:len(key)/2], 0o600},
		"damaged":          {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), 0o600},
		"another kind":     {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600},
		"readable by all":  {key, 0o644},
		"readable by some": {key, 0o640},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, tt.data, tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := metadata.LoadOrCreateSigner(path); !errors.Is(err, metadata.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(tt.data) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := metadata.LoadOrCreateSigner(t.TempDir()); !errors.Is(err, metadata.ErrKey) {
		t.Errorf("a directory: %v, want ErrKey", err)
	}
	if _, err := metadata.LoadOrCreateSigner(filepath.Join(good, "under-a-file")); err == nil {
		t.Error("a path beneath a file was accepted")
	}
}
