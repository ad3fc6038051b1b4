package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"runnel/store/boltfile"
)

// mapped is how much of the file is mapped at first, in bytes: address space,
// not memory. Only a file that outgrows it has to wait for its readers before
// it is mapped anew.
const mapped = 1 << 30

// Open opens the file at path, for this process alone, and makes it if it is
// not there: with mode 0600, in a directory that exists. It reads all of it,
// and puts right what an interrupted write or a failing disk has left; see
// Recovery. It returns ErrLocked at once if another process has it open,
// ErrSchema if it is another version's, and ErrDamaged if no state of it is
// whole. The caller must Close the Store.
func Open(path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s, err := open(f)
	if err != nil {
		_ = f.Close() // it is what the error is about
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	go s.commits.run()
	return s, nil
}

// open makes a Store of an open file, whose owner it becomes if it succeeds.
func open(f *os.File) (*Store, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil {
		return nil, err
	}
	recovery, err := recoverState(f)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	db, err := openBolt(f)
	if err != nil {
		return nil, err
	}
	c := &committer{
		db:      db,
		file:    &file{File: f, size: info.Size(), sync: f.Sync},
		queue:   newQueue(),
		commit:  (*bolt.Tx).Commit,
		stopped: make(chan struct{}),
	}
	c.durable.Store(c.newest())
	c.file.extend(c.size())
	return &Store{db: db, commits: c, queue: c.queue, recovery: recovery}, nil
}

// openBolt has bbolt take an open file over. It keeps no list of free pages in
// the file, which every commit would have to write: it finds them when it
// opens the file. It need not sync the file's length apart from its content,
// which kernels have long done with it.
func openBolt(f *os.File) (*bolt.DB, error) {
	return bolt.Open(f.Name(), 0o600, &bolt.Options{
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
		FreelistType:    bolt.FreelistMapType,
		NoFreelistSync:  true,
		NoGrowSync:      true,
		NoStatistics:    true,
		PageSize:        boltfile.PageSize,
		InitialMmapSize: mapped,
	})
}

// create makes an empty file at path if there is none. It is made beside its
// place and then put there, so that there is never half a file; whoever makes
// one holds the lock of the directory.
func create(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := lock(dir); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	half := path + ".new"
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = writeEmpty(half); err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		_ = os.Remove(half) // if it is there at all
		return err
	}
	return dir.Sync()
}

// writeEmpty makes a file with nothing in it but what it is.
func writeEmpty(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	db, err := openBolt(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	// Twice, for both meta pages.
	for range 2 {
		if err == nil {
			err = db.Update(writeSchema)
		}
	}
	return errors.Join(err, db.Close())
}

// writeSchema puts into a file what every file has.
func writeSchema(tx *bolt.Tx) error {
	for _, name := range buckets() {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	return errors.Join(tx.Bucket([]byte(bucketAbout)).Put([]byte(keySchema), strconv.AppendInt(nil, schema, 10)), sign(tx, 0))
}
