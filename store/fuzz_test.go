package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzOpen changes bytes of a file and cuts it off, and opens what is left. A
// state that Open takes for whole must be one that can be read and written.
func FuzzOpen(f *testing.F) {
	whole := smallFile(f)
	f.Add([]byte{}, uint16(0xffff), false)
	f.Add([]byte{0, 16, 0}, uint16(0xffff), false)
	f.Add([]byte{0, 70, 1, 16, 70, 1}, uint16(0xffff), false)
	f.Add([]byte{32, 8, 1, 48, 10, 9}, uint16(20), true)
	f.Add([]byte{0, 32, 9, 16, 32, 9, 0, 56, 255, 16, 57, 255}, uint16(0xffff), true)
	f.Add([]byte{0, 63, 9, 16, 63, 9}, uint16(0xffff), true)
	f.Fuzz(func(t *testing.T, changes []byte, pages uint16, reseal bool) {
		image := bytes.Clone(whole)
		for ; len(changes) >= 3; changes = changes[3:] {
			image[int(binary.BigEndian.Uint16(changes))%len(image)] ^= changes[2]
		}
		if reseal {
			resealMeta(image[:page])
			resealMeta(image[page : 2*page])
		}
		image = image[:min(len(image), int(pages)*page/2)]
		path := filepath.Join(t.TempDir(), "state.db")
		writeFile(t, path, image)
		s, err := Open(path)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSchema) {
				t.Fatal(err)
			}
			return
		}
		useAll(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path)
		if s.Recovery() != nil {
			t.Errorf("opened again: %+v", s.Recovery())
		}
		useAll(t, s)
	})
}

// smallFile is a file that is mostly in use: all that two bytes can point at.
func smallFile(f *testing.F) []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		f.Fatal(err)
	}
	for n := range 8 {
		err := s.Update(f.Context(), func(tx *Tx) error {
			for i := range 20 {
				tx.Put("jobs", fmt.Sprintf("%d-%d", n, i), epoch().Add(time.Duration(n)), make([]byte, 20*i))
			}
			tx.Put("big", "big", epoch(), make([]byte, 5000))
			tx.PutRow("tiny", uint32(n), nil)
			for row := range uint32(100) {
				tx.PutRow(fmt.Sprint("exec-", n), row, make([]byte, 10))
			}
			tx.DeleteSeries(fmt.Sprint("exec-", n-2))
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return bytes.TrimRight(image, "\x00")
}

// resealMeta gives a meta page the checksum that goes with what it says.
func resealMeta(meta []byte) {
	h := fnv.New64a()
	_, _ = h.Write(meta[16:72]) // never fails
	binary.NativeEndian.PutUint64(meta[72:], h.Sum64())
}

// useAll reads everything, and writes.
func useAll(t *testing.T, s *Store) {
	t.Helper()
	view(t, s, func(tx *Tx) {
		for _, kind := range []Kind{"jobs", "big"} {
			for e := range tx.Newest(kind, "") {
				if e.Value() == nil {
					t.Errorf("%q is listed and not there", e.Name)
				}
			}
		}
		for n := range 8 {
			for row, value := range tx.Rows(fmt.Sprint("exec-", n)) {
				if len(value) != 10 {
					t.Errorf("row %d has %d bytes", row, len(value))
				}
			}
		}
	})
	update(t, s, func(tx *Tx) {
		for n := range 10 {
			tx.Put("jobs", fmt.Sprint("more-", n), epoch(), make([]byte, 3000))
			tx.PutRow("exec-7", uint32(n), make([]byte, 10))
		}
		tx.Delete("big", "big")
		tx.DeleteSeries("exec-6")
	})
}
