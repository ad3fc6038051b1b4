package store

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// model is what a store should hold.
type model struct {
	records map[string]record // by kind and name
	rows    map[string]map[uint32]string
}

type record struct {
	kind    Kind
	name    string
	created time.Time
	value   string
}

// TestStoreIsWhatItsModelIs makes changes at random, opens the file anew now
// and then, and compares all there is with what there should be.
func TestStoreIsWhatItsModelIs(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "state.db")
	m := model{map[string]record{}, map[string]map[uint32]string{}}
	for life := range 6 {
		s := openAt(t, path)
		if s.Recovery() != nil {
			t.Fatalf("life %d: %+v", life, s.Recovery())
		}
		for range 20 {
			update(t, s, func(tx *Tx) {
				for range 1 + r.IntN(20) {
					m.change(tx, r)
				}
			})
		}
		m.compare(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// change makes one change, in both.
func (m model) change(tx *Tx, r *rand.Rand) {
	kind, name := Kind(fmt.Sprint("kind", r.IntN(3))), fmt.Sprint("name", r.IntN(40))
	series, value := fmt.Sprint("series", r.IntN(4)), string(make([]byte, r.IntN(3)*r.IntN(3000)))
	key := string(kind) + "/" + name
	switch r.IntN(10) {
	case 0:
		tx.DeleteSeries(series)
		delete(m.rows, series)
	case 1, 2:
		tx.Delete(kind, name)
		delete(m.records, key)
	case 3, 4, 5:
		n := uint32(r.IntN(60))
		tx.PutRow(series, n, []byte(value))
		if m.rows[series] == nil {
			m.rows[series] = map[uint32]string{}
		}
		m.rows[series][n] = value
	default:
		created := epoch().Add(time.Duration(r.IntN(50)))
		tx.Put(kind, name, created, []byte(value))
		m.records[key] = record{kind, name, created, value}
	}
}

// compare looks for all of the model in the store, and for nothing else.
func (m model) compare(t *testing.T, s *Store) {
	t.Helper()
	want := slices.SortedFunc(maps.Values(m.records), func(a, b record) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), b.created.Compare(a.created), cmp.Compare(a.name, b.name))
	})
	view(t, s, func(tx *Tx) {
		for i := range 3 {
			kind := Kind(fmt.Sprint("kind", i))
			for e := range tx.Newest(kind, "") {
				if len(want) == 0 || want[0].kind != kind || want[0].name != e.Name || want[0].value != string(e.Value()) {
					t.Fatalf("%s %s is not what is expected", kind, e.Name)
				}
				want = want[1:]
			}
		}
		if len(want) > 0 {
			t.Fatalf("%s %s is missing", want[0].kind, want[0].name)
		}
		for i := range 4 {
			series, got := fmt.Sprint("series", i), map[uint32]string{}
			for n, value := range tx.Rows(series) {
				got[n] = string(value)
			}
			if !maps.Equal(got, m.rows[series]) {
				t.Fatalf("%s has %d rows, want %d, or others", series, len(got), len(m.rows[series]))
			}
		}
	})
}
