package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"runnel/internal/durable"
)

// minToken is how many characters a token must have.
const minToken = 16

// LoadOrCreateToken reads the token in the file path, or makes the file, with
// a new random token and mode 0600, if there is none. It returns ErrToken if
// the file holds no single word of at least 16 characters, or if others than
// its owner and group may read it.
func LoadOrCreateToken(path string) (string, error) {
	token, err := loadToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	// A link fails if somebody else was first, where a rename would replace
	// the token that they have told others by now.
	fresh, err := durable.WriteBeside(path, []byte(rand.Text()+"\n"), 0o600)
	if err != nil {
		return "", fmt.Errorf("token file %s: %w", path, err)
	}
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", errors.Join(fmt.Errorf("token file %s: %w", path, err), os.Remove(fresh))
	}
	if err := errors.Join(os.Remove(fresh), durable.SyncDir(filepath.Dir(path))); err != nil {
		return "", fmt.Errorf("token file %s: %w", path, err)
	}
	return loadToken(path)
}

// loadToken reads a token file.
func loadToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	switch {
	case st.Mode().Perm()&0o007 != 0:
		return "", fmt.Errorf("%s: %w: mode %v lets everybody in", path, ErrToken, st.Mode().Perm())
	case len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("%s: %w: want one word of at least %d characters", path, ErrToken, minToken)
	}
	return token, nil
}
