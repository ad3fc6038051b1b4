package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"runnel/store/boltfile"
)

const page = boltfile.PageSize

// lives is a file before and after its last commit.
type lives struct {
	before, after []byte
	slot          int   // the meta page that the commit has written
	changed       []int // and the other pages
	// old and new are what the file holds before and after.
	old, new string
}

// which names what a store holds.
func (l lives) which(shows string) string {
	switch shows {
	case l.old:
		return "old"
	case l.new:
		return "new"
	}
	return "nonsense"
}

// newLives makes a file with some life behind it.
func newLives(t testing.TB) lives {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	commit := func(n int) {
		err := s.Update(t.Context(), func(tx *Tx) error {
			value := bytes.Repeat(fmt.Append(nil, n), 1000)
			tx.Put("jobs", "last", epoch(), value)
			tx.Put("jobs", fmt.Sprint("job-", n), epoch().Add(time.Duration(n)), value)
			tx.Delete("jobs", fmt.Sprint("job-", n-20))
			for row := range uint32(50) {
				tx.PutRow(fmt.Sprint("exec-", n), row, value[:row])
			}
			tx.DeleteSeries(fmt.Sprint("exec-", n-10))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 60 {
		commit(n)
	}
	l := lives{before: readFile(t, path), slot: int(s.commits.newest()+1) % 2, old: dump(t, s)}
	commit(60)
	l.after, l.new = readFile(t, path), dump(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for at := 2 * page; at < len(l.after); at += page {
		if !bytes.Equal(l.before[at:at+page], l.after[at:at+page]) {
			l.changed = append(l.changed, at/page)
		}
	}
	if len(l.changed) < 5 {
		t.Fatalf("the last commit has changed pages %v only", l.changed)
	}
	return l
}

// copyPage puts one page of a file into another.
func copyPage(to, from []byte, n int) { copy(to[n*page:(n+1)*page], from[n*page:]) }

// dump is all that a store holds of what newLives has written.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	h := sha256.New()
	err := s.View(func(tx *Tx) error {
		for e := range tx.Newest("jobs", "") {
			fmt.Fprintf(h, "%s %s %x\n", e.Name, e.Cursor, e.Value())
		}
		for n := range 70 {
			for row, value := range tx.Rows(fmt.Sprint("exec-", n)) {
				fmt.Fprintf(h, "%d %d %x\n", n, row, value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// reopen opens a file of these bytes, and once more after it has been written
// to: the second time nothing may be wrong.
func reopen(t *testing.T, image []byte) (recovery *Recovery, shows string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	writeFile(t, path, image)
	s, err := Open(path)
	if err != nil {
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Fatalf("open: %v", err)
		}
		if !bytes.Equal(readFile(t, path), image) {
			t.Error("a file beyond repair was touched")
		}
		return nil, "", err
	}
	recovery, shows = s.Recovery(), dump(t, s)
	if recovery != nil && !bytes.Equal(readFile(t, recovery.Kept), image) {
		t.Error("what was kept is not what was found")
	}
	if left, _ := filepath.Glob(path + "*"); (len(left) == 2) != (recovery != nil) {
		t.Errorf("recovery %+v, and left are %v", recovery, left)
	}
	for n := range 30 {
		update(t, s, func(tx *Tx) { tx.Put("more", fmt.Sprint("more-", n), epoch(), make([]byte, 9000)) })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if s.Recovery() != nil || dump(t, s) != shows {
		t.Errorf("opened again: %+v, and something else is in it", s.Recovery())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return recovery, shows, nil
}

func TestInterruptedCommitIsAsIfItHadNotBeen(t *testing.T) {
	t.Parallel()
	l := newLives(t)
	for range 100 {
		image := bytes.Clone(l.before)
		for _, n := range l.changed {
			switch rand.IntN(3) {
			case 0:
				copyPage(image, l.after, n)
			case 1: // half of it
				copy(image[n*page:n*page+page/2], l.after[n*page:])
			}
		}
		if recovery, shows, err := reopen(t, image); recovery != nil || shows != l.old || err != nil {
			t.Fatalf("recovery %+v, shows the %s state, %v", recovery, l.which(shows), err)
		}
	}
}

func TestDamagedEndGoesBackToTheStateBefore(t *testing.T) {
	t.Parallel()
	l := newLives(t)
	damage := map[string]func(image []byte) []byte{
		"meta page zeroed": func(b []byte) []byte { clear(b[l.slot*page:][:page]); return b },
		"meta page torn":   func(b []byte) []byte { copy(b[l.slot*page:][:page], l.before[l.slot*page:][:72]); return b },
		"meta page noise":  func(b []byte) []byte { b[l.slot*page+30] ^= 4; return b },
	}
	for _, n := range l.changed {
		damage[fmt.Sprint("page zeroed ", n)] = func(b []byte) []byte { clear(b[n*page:][:page]); return b }
		damage[fmt.Sprint("page lost ", n)] = func(b []byte) []byte { copyPage(b, l.before, n); return b }
		damage[fmt.Sprint("page half zeroed ", n)] = func(b []byte) []byte { clear(b[n*page+page/2:][:page/2]); return b }
	}
	wrong := 0
	for name, do := range damage {
		image := do(bytes.Clone(l.after))
		recovery, shows, err := reopen(t, image)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case recovery == nil && shows == l.new && strings.HasPrefix(name, "page"):
			wrong++ // what was damaged is not in use
		case recovery == nil || shows != l.old || recovery.Reason == "":
			t.Errorf("%s: recovery %+v, shows the %s state", name, recovery, l.which(shows))
		}
	}
	if wrong > len(damage)/3 {
		t.Errorf("%d of %d damages have done no harm: too many to be true", wrong, len(damage))
	}
}

func TestFileThatWasCutOff(t *testing.T) {
	t.Parallel()
	l := newLives(t)
	for end := len(l.after) - page; allZero(l.after[end:]); end -= page {
		l.after = l.after[:end] // what is there only for later
	}
	lost := 0
	for size := len(l.after); size >= 0; size -= 1 + rand.IntN(page) {
		_, shows, err := reopen(t, l.after[:size])
		switch {
		case err != nil:
			lost++
		case l.which(shows) == "nonsense":
			t.Errorf("%d of %d bytes: shows nonsense", size, len(l.after))
		}
	}
	if lost == 0 {
		t.Error("files without their content open")
	}
}

func TestWhatCannotBeRecoveredIsSaid(t *testing.T) {
	t.Parallel()
	l := newLives(t)
	noMeta := bytes.Clone(l.after)
	clear(noMeta[:2*page])
	for name, image := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "much text": bytes.Repeat([]byte("hello "), 1e5),
		"zeros": make([]byte, 1<<20), "no meta page": noMeta,
	} {
		if _, _, err := reopen(t, image); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestContentThatWasNotWrittenIsSeen changes what stands on whole pages.
func TestContentThatWasNotWrittenIsSeen(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*bolt.Tx) error{
		"record": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketRecords)).Put(recordKey("jobs", "a"), []byte("something else"))
		},
		"another's record": func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bucketRecords))
			return b.Put(recordKey("jobs", "a"), bytes.Clone(b.Get(recordKey("jobs", "b"))))
		},
		"row": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketRows)).Bucket([]byte("exec")).Put(rowKey(1), nil)
		},
		"row elsewhere": func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketRows)).Put(rowKey(1), []byte("row")) },
		"not listed": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketOrder)).Delete(orderKey("jobs", stamp(epoch()), "a"))
		},
		"listed for nothing": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketOrder)).Put(orderKey("jobs", stamp(epoch()), "x"), nil)
		},
		"no schema": func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketAbout)).Delete([]byte(keySchema)) },
		"empty bucket missing": func(tx *bolt.Tx) error {
			return errors.Join(tx.DeleteBucket([]byte(bucketRows)), sign(tx, -digest("rows/exec", rowKey(1), []byte("row"))))
		},
		"bucket missing": func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte(bucketRows)) },
	} {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		update(t, s, func(tx *Tx) {
			tx.Put("jobs", "a", epoch(), []byte("a"))
			tx.Put("jobs", "b", epoch(), []byte("b"))
			tx.PutRow("exec", 1, []byte("row"))
		})
		err = s.db.Update(func(tx *bolt.Tx) error { return errors.Join(change(tx), sign(tx, 0)) })
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path)
		if s.Recovery() == nil {
			t.Errorf("%s: no recovery", name)
		}
		equal(t, names(t, s, "jobs"), []string{"a", "b"})
		equal(t, numbers(t, s, "exec"), []uint32{1})
	}
}

func TestForeignSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*bolt.Tx) error
		want   string
	}{
		"newer":   {setSchema("27"), "written by a newer Runnel: its schema is 27, this one's is 1"},
		"older":   {setSchema("0"), "written by an older Runnel: its schema is 0, this one's is 1"},
		"strange": {setSchema("x"), "not written by Runnel"},
		"none":    {func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte(bucketAbout)) }, "not written by Runnel"},
		"newer, other layout": {func(tx *bolt.Tx) error {
			return errors.Join(setSchema("2")(tx), tx.Bucket([]byte(bucketRecords)).Put([]byte("x"), []byte("y")))
		}, "schema is 2, this one's is 1"},
	} {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		again := func(*bolt.Tx) error { return nil } // for the other meta page
		if err := errors.Join(s.db.Update(c.change), s.db.Update(again), s.Close()); err != nil {
			t.Fatal(err)
		}
		image := readFile(t, path)
		if _, err := Open(path); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(image, readFile(t, path)) {
			t.Errorf("%s: the file was touched", name)
		}
	}
}

func setSchema(to string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketAbout)).Put([]byte(keySchema), []byte(to)) }
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
