package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// filters keeps the system-call filters that have been defined; they are few.
// The zero value is ready.
type filters struct {
	// mu guards known.
	mu    sync.Mutex
	known map[string]*filter
}

// define compiles the profile that text holds in JSON, unless it is known, and
// returns its name: the digest of the text.
func (f *filters) define(text []byte) (name string, err error) {
	sum := sha256.Sum256(text)
	name = hex.EncodeToString(sum[:])
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known[name] != nil {
		return name, nil
	}
	profile := new(specs.LinuxSeccomp)
	if err := json.Unmarshal(text, profile); err != nil {
		return "", fmt.Errorf("read system-call filter: %w", err)
	}
	compiled, err := compileFilter(profile)
	if err != nil {
		return "", err
	}
	if f.known == nil {
		f.known = map[string]*filter{}
	}
	f.known[name] = compiled
	return name, nil
}

// get returns a filter that has been defined.
func (f *filters) get(name string) (*filter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.known[name]; known != nil {
		return known, nil
	}
	return nil, fmt.Errorf("system-call filter %q has not been defined", name)
}

// close drops every filter; containers that have loaded theirs keep it.
func (f *filters) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, k := range f.known {
		errs = append(errs, k.file.Close())
	}
	f.known = nil
	return errors.Join(errs...)
}
