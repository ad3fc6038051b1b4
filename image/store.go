package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Defaults of StoreConfig.
const (
	defaultReserveBytes = 512 << 20
	defaultMaxEntries   = 4_000_000
	// extraWorkers wait for the network while the others keep the processors
	// busy; maxDefaultWorkers bounds the memory of all of them.
	extraWorkers      = 2
	maxDefaultWorkers = 12
)

// StoreConfig configures a Store. Only Dir has no default.
type StoreConfig struct {
	// Dir is the store's own directory. It is created if need be, made 0700, and
	// must not be changed by anyone else.
	Dir string
	// Workers is how many layers are fetched and unpacked at the same time, over
	// all pulls. 0 means the number of processors and two, at most 12.
	Workers int
	// MaxLayerBytes bounds what a layer may inflate to. 0 means as much as there
	// is room on the disk, images having no size limit of their own.
	MaxLayerBytes int64
	// MaxLayerEntries bounds the files, directories and links of a layer. 0
	// means four million.
	MaxLayerEntries int64
	// ReserveBytes is how much of the disk is kept free: a pull that would use
	// it fails. 0 means 512 MiB, negative means nothing.
	ReserveBytes int64
	// KeepUploads is how long an upload is kept that nobody has asked for. 0 means
	// an hour.
	KeepUploads time.Duration
	// TrustedHosts are "host:port" that a registry may send us to although they
	// have private addresses, such as the token server of a private registry.
	TrustedHosts []string
}

// Validate reports everything that is wrong with the configuration.
func (c StoreConfig) Validate() error {
	var errs []error
	if !filepath.IsAbs(c.Dir) {
		errs = append(errs, fmt.Errorf("image store directory %q is not absolute", c.Dir))
	}
	if c.Workers < 0 {
		errs = append(errs, fmt.Errorf("image store: %d workers", c.Workers))
	}
	if c.MaxLayerBytes < 0 || c.MaxLayerEntries < 0 || c.KeepUploads < 0 {
		errs = append(errs, errors.New("image store: a limit is negative"))
	}
	for _, host := range c.TrustedHosts {
		errs = append(errs, CheckTrustedHost(host))
	}
	return errors.Join(errs...)
}

func (c StoreConfig) withDefaults() StoreConfig {
	if c.Workers == 0 {
		c.Workers = min(runtime.NumCPU()+extraWorkers, maxDefaultWorkers)
	}
	if c.MaxLayerEntries == 0 {
		c.MaxLayerEntries = defaultMaxEntries
	}
	if c.KeepUploads == 0 {
		c.KeepUploads = KeepUploads
	}
	switch {
	case c.ReserveBytes == 0:
		c.ReserveBytes = defaultReserveBytes
	case c.ReserveBytes < 0:
		c.ReserveBytes = 0
	}
	return c
}

// Store keeps images, unpacked by layer, in one directory:
//
//	lock                     held while the store is open
//	images/sha256/HEX.json   a record per image, by the manifest's digest
//	layers/sha256/HEX/       a layer's files, by diff ID
//	tmp/                     what is being made or thrown away; emptied at Open
//
// A record is written after its layers, and a layer appears by rename after it
// is on the disk: what is visible is whole, whenever the host stops. A Store is
// safe for concurrent use.
type Store struct {
	cfg   StoreConfig
	lock  *os.File
	slots chan struct{}

	// pulls is held for reading by whatever uses the directory, so that Close
	// can wait for them.
	pulls sync.RWMutex
	// deciding is held by a collection from before it asks what is in use until
	// it has taken what is not, and for reading by whatever ends a lease.
	deciding sync.RWMutex

	mu      sync.Mutex
	closed  bool                  // guarded by mu
	flights map[flightKey]*flight // guarded by mu
	pinned  map[string]int        // digests in use by pulls and leases; guarded by mu
	spared  map[string]bool       // of those, what nothing else needs; guarded by mu
	diffIDs map[digest]digest     // of blobs known to the records; guarded by mu
}

// Open takes possession of a store's directory and clears what an interrupted
// run left; what cannot be removed is left for a later Open to try. It fails
// with ErrLocked while someone else has it. The caller must Close it.
func Open(cfg StoreConfig) (_ *Store, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg.withDefaults()}
	s.slots = make(chan struct{}, s.cfg.Workers)
	s.flights, s.pinned, s.spared = map[flightKey]*flight{}, map[string]int{}, map[string]bool{}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open image store %s: %w", cfg.Dir, err)
		}
	}()
	if err := s.makeDirs(cfg.Dir); err != nil {
		return nil, err
	}
	if s.lock, err = lockFile(filepath.Join(cfg.Dir, "lock")); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	return s, nil
}

// makeDirs makes directories nobody else can look into, whatever the umask.
func (s *Store) makeDirs(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range []string{dir, s.imagesDir(), s.layersDir(), s.tmpDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
		if err := os.Chmod(d, 0o700); err != nil {
			return err
		}
	}
	return spreadChildren(s.tmpDir())
}

// recover removes residue and reads which blobs are known.
func (s *Store) recover() error {
	s.emptyTmp()
	records, err := s.records()
	if err != nil {
		return err
	}
	s.diffIDs = map[digest]digest{}
	for _, r := range records {
		for _, l := range r.Layers {
			if l.Blob != "" {
				s.diffIDs[l.Blob] = l.DiffID
			}
		}
	}
	return nil
}

// emptyTmp throws away what can be. The rest is in nobody's way: names in tmp
// are made up anew each time.
func (s *Store) emptyTmp() {
	entries, _ := os.ReadDir(s.tmpDir()) // what is read before an error counts
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(s.tmpDir(), e.Name()))
	}
}

// enter keeps the store open until the returned function is called.
func (s *Store) enter() (leave func(), err error) {
	s.pulls.RLock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.pulls.RUnlock()
		return nil, ErrClosed
	}
	return s.pulls.RUnlock, nil
}

// Close waits for the calls in progress and gives the directory up. Cancel
// their contexts first to be quick.
func (s *Store) Close() error {
	s.pulls.Lock()
	defer s.pulls.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.lock.Close()
}

func (s *Store) imagesDir() string { return filepath.Join(s.cfg.Dir, "images", "sha256") }
func (s *Store) layersDir() string { return filepath.Join(s.cfg.Dir, "layers", "sha256") }
func (s *Store) tmpDir() string    { return filepath.Join(s.cfg.Dir, "tmp") }

func (s *Store) layerDir(d digest) string   { return filepath.Join(s.layersDir(), d.hex()) }
func (s *Store) recordPath(d digest) string { return filepath.Join(s.imagesDir(), d.hex()+".json") }
