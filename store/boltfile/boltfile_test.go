package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// build writes a database of three levels of pages, with buckets that have
// pages and buckets that have none, and returns its file and what is in it.
func build(t *testing.T) (image []byte, want []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bolt.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: PageSize, NoFreelistSync: true, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		err := db.Update(func(tx *bolt.Tx) error {
			large, err1 := tx.CreateBucketIfNotExists([]byte("large"))
			outer, err2 := tx.CreateBucketIfNotExists([]byte("outer"))
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			inner, err := outer.CreateBucketIfNotExists([]byte("inner"))
			err = errors.Join(err, inner.Put([]byte("in"), []byte("side")), outer.Put([]byte("empty"), nil))
			for n := range 3000 {
				err = errors.Join(err, large.Put(fmt.Appendf(nil, "%064d", n), fmt.Append(nil, n)))
			}
			return errors.Join(err, large.Put([]byte("over"), bytes.Repeat([]byte{byte(round)}, 3*PageSize)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			want = append(want, fmt.Sprintf("/%s", name))
			return list(&want, fmt.Sprintf("/%s", name), b)
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if image, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return image, want
}

// list is what Walk is to find in a bucket, as bbolt sees it.
func list(all *[]string, path string, b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if inner := b.Bucket(k); inner != nil {
			*all = append(*all, fmt.Sprintf("%s/%s", path, k))
			return list(all, fmt.Sprintf("%s/%s", path, k), inner)
		}
		*all = append(*all, fmt.Sprintf("%s/%s=%s", path, k, v))
		return nil
	})
}

// walk lists what Walk finds in the newest state.
func walk(image []byte) (found []string, err error) {
	file := bytes.NewReader(image)
	states, faults := Metas(file)
	if len(states) == 0 {
		return nil, errors.Join(faults...)
	}
	err = Walk(file, int64(len(image)), states[0], func(bucket [][]byte, key, value []byte) {
		path := fmt.Sprintf("/%s/%s", bytes.Join(bucket, []byte("/")), key)
		if len(bucket) == 0 {
			path = path[1:]
		}
		if value != nil {
			path += fmt.Sprintf("=%s", value)
		}
		found = append(found, path)
	})
	return found, err
}

func TestWalkFindsWhatBboltFinds(t *testing.T) {
	t.Parallel()
	image, want := build(t)
	found, err := walk(image)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(found, "\n") != strings.Join(want, "\n") {
		t.Errorf("found %d, want %d", len(found), len(want))
	}
}

func TestRevertShowsTheStateBefore(t *testing.T) {
	t.Parallel()
	image, _ := build(t)
	path := filepath.Join(t.TempDir(), "bolt.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	states, faults := Metas(f)
	if len(states) != 2 || len(faults) != 0 || states[0].Tx != states[1].Tx+1 {
		t.Fatalf("states %+v, %v", states, faults)
	}
	if err := Revert(f, states[1]); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: PageSize, NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		if got := tx.Bucket([]byte("large")).Get([]byte("over")); uint64(tx.ID()) != states[1].Tx || got[0] != 1 {
			t.Errorf("transaction %d, value of round %d", tx.ID(), got[0])
		}
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestEveryDamageOfAPageIsSeen changes one thing of a page at a time.
func TestEveryDamageOfAPageIsSeen(t *testing.T) {
	t.Parallel()
	image, _ := build(t)
	leaf, branch := find(t, image, flagLeaf), find(t, image, flagBranch)
	for name, c := range map[string]struct {
		page, offset int
		value        uint64
		width        int
		want         string
	}{
		"id":              {leaf, 0, 77777, 8, "calls itself page 77777"},
		"flags":           {leaf, 8, 3, 2, "neither branch nor leaf"},
		"count":           {leaf, 10, 0xffff, 2, "do not fit"},
		"no child":        {branch, 10, 0, 2, "without a child"},
		"overflow":        {leaf, 12, 0xffffffff, 4, "beyond the end"},
		"leaf flags":      {leaf, 16, 2, 4, "unknown flags"},
		"leaf position":   {leaf, 20, 0xfffffff0, 4, "lies outside"},
		"leaf overlaps":   {leaf, 20, 1, 4, "lies outside"},
		"key size":        {leaf, 24, 0xffffffff, 4, "lies outside"},
		"no key":          {leaf, 24, 0, 4, "out of order"},
		"value size":      {leaf, 28, 0xfffffff0, 4, "lies outside"},
		"no bucket":       {leaf, 16, 1, 4, "no room for a bucket"},
		"branch key":      {branch, 16, 0xffff, 4, "lies outside"},
		"child too far":   {branch, 24, 1 << 40, 8, "is not among"},
		"child is meta":   {branch, 24, 1, 8, "is not among"},
		"child is twice":  {branch, 24, 0, 8, ""},
		"child is itself": {branch, 24, uint64(branch), 8, ""},
	} {
		bad := bytes.Clone(image)
		at := bad[c.page*PageSize+c.offset:]
		switch {
		case name == "child is twice":
			copy(at[:8], at[16:24]) // of the second element
		case c.width == 8:
			binary.NativeEndian.PutUint64(at, c.value)
		case c.width == 4:
			binary.NativeEndian.PutUint32(at, uint32(c.value))
		default:
			binary.NativeEndian.PutUint16(at, uint16(c.value))
		}
		if _, err := walk(bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// find is a page of the newest state that is not the root's.
func find(t *testing.T, image []byte, flags uint16) (id int) {
	t.Helper()
	file := bytes.NewReader(image)
	states, _ := Metas(file)
	w := walker{file: file, limit: uint64(len(image) / PageSize), visit: func([][]byte, []byte, []byte) {}}
	w.used = make([]uint64, w.limit/64+1)
	if err := w.tree(states[0].root, span{}, 0); err != nil {
		t.Fatal(err)
	}
	for id = len(image)/PageSize - 1; id > 1; id-- {
		p := page(image[id*PageSize:])
		if w.used[id/64]&(1<<(id%64)) != 0 && p.id() == uint64(id) && p.flags() == flags && p.count() > 10 && uint64(id) != states[0].root {
			return id
		}
	}
	t.Fatalf("no page has flags %#x", flags)
	return 0
}

func TestMetaPagesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	image, _ := build(t)
	for name, c := range map[string]struct {
		offset int
		value  uint32
		want   string
	}{
		"magic":     {0, 1, "not a meta page"},
		"version":   {4, 9, "file format is 9"},
		"page size": {8, 16384, "page size is 16384"},
		"freelist":  {32, 7, "list of free pages"},
		"pages":     {44, 0x80000000, "no file has"},
		"tx":        {52, 0xffffffff, "can stand here"},
	} {
		bad := bytes.Clone(image)
		for slot := range 2 {
			meta := bad[slot*PageSize+headerSize:][:metaSize]
			binary.NativeEndian.PutUint32(meta[c.offset:], c.value)
			if states, faults := Metas(bytes.NewReader(bad)); name != "magic" && (len(states) != 1 || !strings.Contains(faults[0].Error(), "checksum")) {
				t.Errorf("%s: states %v, %v", name, states, faults)
			}
			binary.NativeEndian.PutUint64(meta[sumOffset:], sum(meta))
			if _, err := readMeta(bytes.NewReader(bad), slot); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			copy(bad, image)
		}
	}
}
