package store

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestListIsNewestFirst(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	update(t, s, func(tx *Tx) {
		for i, name := range []string{"c", "a", "b"} {
			tx.Put("jobs", name, epoch().Add(time.Duration(i)), []byte(name))
		}
		tx.Put("jobs", "old", time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), nil)
		tx.Put("jobs", "d", epoch(), nil) // the same time as c
		tx.Put("job", "other", epoch(), nil)
		tx.Put("jobsx", "other", epoch(), nil)
	})
	equal(t, names(t, s, "jobs"), []string{"b", "a", "c", "d", "old"})
	update(t, s, func(tx *Tx) {
		tx.Put("jobs", "b", epoch().Add(2), []byte("again")) // stays
		tx.Put("jobs", "c", epoch().Add(time.Hour), nil)     // moves
		tx.Delete("jobs", "a")
	})
	equal(t, names(t, s, "jobs"), []string{"c", "b", "d", "old"})
	view(t, s, func(tx *Tx) {
		for e := range tx.Newest("jobs", "") {
			if e.Name == "b" && string(e.Value()) != "again" {
				t.Errorf("value of b: %q", e.Value())
			}
		}
	})
}

// pages lists jobs as a client does: a few at a time, each page in a
// transaction of its own, with something happening in between.
func pages(t *testing.T, s *Store, size int, between func(page int)) (all []string) {
	t.Helper()
	var after Cursor
	for page := 0; ; page++ {
		n := 0
		view(t, s, func(tx *Tx) {
			for e := range tx.Newest("jobs", after) {
				all, after = append(all, e.Name), e.Cursor
				if n++; n == size {
					return
				}
			}
		})
		if n < size {
			return all
		}
		between(page)
	}
}

func TestPagingIsStableWhileRecordsComeAndGo(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	var want []string
	update(t, s, func(tx *Tx) {
		want = nil
		for i := range 100 {
			name := fmt.Sprintf("job-%02d", i)
			tx.Put("jobs", name, epoch().Add(time.Duration(i)*time.Second), nil)
			want = append(want, name)
		}
	})
	slices.Reverse(want)
	got := pages(t, s, 7, func(page int) {
		update(t, s, func(tx *Tx) {
			// What was listed last goes, and so does what is yet to come.
			tx.Delete("jobs", want[7*page+6])
			if page == 0 {
				tx.Delete("jobs", want[90])
			}
			tx.Put("jobs", fmt.Sprint("new", page), epoch().Add(time.Hour), nil)
		})
	})
	equal(t, got, slices.Delete(slices.Clone(want), 90, 91))
}

func TestCursorsAreText(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	update(t, s, func(tx *Tx) {
		tx.Put("jobs", "projects/p/jobs/a", epoch(), nil)
		tx.Put("jobs", "projects/p/jobs/b", epoch().Add(1), nil)
	})
	view(t, s, func(tx *Tx) {
		for e := range tx.Newest("jobs", "") {
			if !e.Cursor.Valid() {
				t.Errorf("%q is not valid", e.Cursor)
			}
			for _, c := range string(e.Cursor) {
				if c < ' ' || c > '~' {
					t.Errorf("%q is not text", e.Cursor)
				}
			}
		}
		for _, bad := range []Cursor{"x", "0123456789abcdef", "0123456789abcdegname"} {
			if bad.Valid() {
				t.Errorf("%q is valid", bad)
			}
			for e := range tx.Newest("jobs", bad) {
				t.Errorf("after %q comes %q", bad, e.Name)
			}
		}
	})
}

func TestRecordsMayBeWrittenWhileTheyAreListed(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	const n = 500
	update(t, s, func(tx *Tx) {
		for i := range n {
			tx.Put("jobs", fmt.Sprint("job-", i), epoch().Add(time.Duration(i)), make([]byte, 300))
		}
	})
	seen := 0
	update(t, s, func(tx *Tx) {
		seen = 1 // and all pages have been written to before
		for e := range tx.Newest("jobs", "") {
			tx.Put("jobs", e.Name, epoch().Add(time.Hour), nil)
			tx.Delete("jobs", e.Name)
			break
		}
		for i := range n {
			tx.Put("jobs", fmt.Sprint("job-", i), epoch().Add(time.Duration(i)), make([]byte, 301))
		}
		seen = 0
		for e := range tx.Newest("jobs", "") {
			if seen++; seen > 10 { // all but the newest ten
				tx.Delete("jobs", e.Name)
			}
			tx.PutRow("noise", uint32(seen), e.Value())
		}
	})
	if left := names(t, s, "jobs"); seen != n || len(left) != 10 || left[9] != "job-490" {
		t.Fatalf("saw %d, left %v", seen, left)
	}
}

func TestUnderListsByName(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	update(t, s, func(tx *Tx) {
		for i, name := range []string{"a/2", "a/1", "a/3", "a", "ab/1", "b/1"} {
			tx.Put("jobs", name, epoch().Add(time.Duration(i)), []byte(name))
		}
		tx.Put("job", "a/4", epoch(), nil)
	})
	under := func(tx *Tx, begin string, each func(Entry)) (all []string) {
		for e := range tx.Under("jobs", begin) {
			all = append(all, e.Name)
			each(e)
		}
		return all
	}
	view(t, s, func(tx *Tx) {
		byCursor := make(map[Cursor]string)
		for e := range tx.Newest("jobs", "") {
			byCursor[e.Cursor] = e.Name
		}
		equal(t, under(tx, "a/", func(e Entry) {
			if byCursor[e.Cursor] != e.Name || string(e.Value()) != e.Name {
				t.Errorf("%s has the cursor of %q and the value %q", e.Name, byCursor[e.Cursor], e.Value())
			}
		}), []string{"a/1", "a/2", "a/3"})
		equal(t, under(tx, "c", func(Entry) {}), []string(nil))
	})
	update(t, s, func(tx *Tx) {
		equal(t, under(tx, "a", func(e Entry) { tx.Delete("jobs", e.Name) }), []string{"a", "a/1", "a/2", "a/3", "ab/1"})
	})
	equal(t, names(t, s, "jobs"), []string{"b/1"})
}
