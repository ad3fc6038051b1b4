package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// nameDigits is how many hex digits tell the roots of one host apart.
const nameDigits = 7

// Root is the directory that everything of a daemon, or of one "runnel run",
// lives in.
type Root struct {
	// Dir is absolute, and has no link in it.
	Dir string
	// Name is derived from Dir; what the root owns on the host outside its
	// directory (bridge, nftables, cgroups) bears it.
	Name string
	// lock is held on a private directory as long as it is in use.
	lock *os.File
}

// OpenRoot makes dir if it is missing, or a private directory if dir is empty.
// Private directories whose owner has died are removed then, with all they left
// on the host; warn is told of what could not be. The caller must Close it.
func OpenRoot(ctx context.Context, dir string, warn func(string)) (*Root, error) {
	if dir == "" {
		parent, err := filepath.EvalSymlinks(PrivateRoots)
		if err != nil {
			return nil, fmt.Errorf("cannot make a private directory: %w", err)
		}
		return openPrivateRoot(ctx, parent, warn)
	}
	dir, err := makeRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open the root directory: %w", err)
	}
	return &Root{Dir: dir, Name: rootName(dir)}, nil
}

// makeRoot makes dir if it is missing. The path it returns is the same by
// whatever name dir is called, and has no link in it: nothing is mounted below
// one.
func makeRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// rootName is a short name for a root: the same for the same directory.
func rootName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:])[:nameDigits]
}

// Cgroup is the parent of the root's instances.
func (r *Root) Cgroup() string { return "/runnel-" + r.Name }

// Records is the path of a daemon's database: where it exists, the logs in the
// root are those of executions that the daemon keeps.
func (r *Root) Records() string { return filepath.Join(r.Dir, "state.db") }

// Close removes a private root and leaves any other as it is.
func (r *Root) Close() error {
	if r.lock == nil {
		return nil
	}
	err := os.RemoveAll(r.Dir)
	return errors.Join(err, r.lock.Close())
}
