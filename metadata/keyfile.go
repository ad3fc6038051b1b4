package metadata

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"runnel/internal/durable"
)

const (
	keyBits = 2048
	pemType = "PRIVATE KEY"
)

// LoadOrCreateSigner returns a Signer of the key in the file path, making the
// key and its directory on first use. The file is private (0600) and appears
// complete or not at all; of several processes that find none, one makes it
// and the others use it. An existing file that is not such a key gives ErrKey:
// replacing it would silently void every token.
func LoadOrCreateSigner(path string) (*Signer, error) {
	key, err := loadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path); err != nil {
			return nil, fmt.Errorf("signing key %s: %w", path, err)
		}
		key, err = loadKey(path)
	}
	if err != nil {
		return nil, err
	}
	return newSigner(key)
}

// loadKey reads a key that createKey wrote.
func loadKey(path string) (*rsa.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("signing key %s has mode %v, want a file that only its owner can read: %w", path, info.Mode(), ErrKey)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemType {
		return nil, fmt.Errorf("signing key %s holds no PEM block %q: %w", path, pemType, ErrKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w: %v", path, ErrKey, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < keyBits {
		return nil, fmt.Errorf("signing key %s is not an RSA key of at least %d bits: %w", path, keyBits, ErrKey)
	}
	return key, nil
}

// createKey writes a new key to path unless another process is faster.
func createKey(path string) (err error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // mode 0600, whatever the umask
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	if err := errors.Join(pem.Encode(tmp, &pem.Block{Type: pemType, Bytes: der}), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a key that is already in use.
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.SyncDir(dir)
}
