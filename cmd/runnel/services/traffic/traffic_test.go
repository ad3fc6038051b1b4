package traffic

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/shares"
)

// parse reads targets such as "a=50 b=30#tag LATEST=20".
func parse(t *testing.T, text string) (targets []*runpb.TrafficTarget) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		word, tag, _ := strings.Cut(word, "#")
		key, percent, _ := strings.Cut(word, "=")
		var p int32
		if percent != "" {
			if _, err := fmt.Sscan(percent, &p); err != nil {
				t.Fatal(err)
			}
		}
		targets = append(targets, target(key, p, tag))
	}
	return targets
}

// write is parse the other way round.
func write(targets []*runpb.TrafficTarget) string {
	var words []string
	for _, t := range targets {
		word := Key(t)
		if t.GetPercent() > 0 {
			word += fmt.Sprintf("=%d", t.GetPercent())
		}
		if t.GetTag() != "" {
			word += "#" + t.GetTag()
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// percents reads shares such as "a=50 b=30".
func percents(t *testing.T, text string) map[string]int32 {
	t.Helper()
	all := map[string]int32{}
	for _, target := range parse(t, text) {
		all[Key(target)] = target.GetPercent()
	}
	return all
}

// contract: TR-2, TR-5
func TestSharesThatAreNotNamedKeepTheirProportion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, before, set, after string
		err                      error
	}{
		{"the whole goes to one", "a=50 b=30 c=20", "b=100", "b=100", nil},
		{"a rollback", "LATEST=100", "old=100", "old=100", nil},
		{"a canary", "LATEST=100", "new=10", "new=10 LATEST=90", nil},
		{"no targets are the latest", "", "new=10", "new=10 LATEST=90", nil},
		{"the rest is scaled down", "a=50 b=30 c=20", "c=60", "a=25 b=15 c=60", nil},
		{"the rest is scaled up", "a=50 b=30 c=20", "a=20", "a=20 b=48 c=32", nil},
		{"gcloud's example", "cp9kw=90 s5sxn=10", "s5sxn=20", "cp9kw=80 s5sxn=20", nil},
		{"zero takes away", "a=50 b=50", "a=0", "b=100", nil},
		{"what loses most is made good first", "a=33 b=33 c=34", "c=1", "a=50 b=49 c=1", nil},
		{"of equal losses the smaller share first", "a=1 b=3 LATEST=96", "LATEST=98", "a=1 b=1 LATEST=98", nil},
		{"a share that becomes none", "a=1 b=99", "c=90", "b=10 c=90", nil},
		{"the latest by name and as such", "a=40 LATEST=60", "a=40 LATEST=60", "a=40 LATEST=60", nil},
		{"shares of one revision are one", "a=20 a=30 b=50", "b=40", "a=60 b=40", nil},
		{"tags stay", "a=50#x b=50#y", "b=100", "b=100 a#x b#y", nil},
		{"too much", "a=100", "a=60 b=41", "", shares.ErrOver},
		{"too little", "a=100", "a=60", "", shares.ErrUnder},
		{"too little among many", "a=60 b=40", "a=60 b=30", "", shares.ErrUnder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := parse(t, tt.before)
			got, err := SetPercents(before, percents(t, tt.set))
			if write(got) != tt.after || !errors.Is(err, tt.err) {
				t.Errorf("%s with %s: %s, %v; want %s, %v", tt.before, tt.set, write(got), err, tt.after, tt.err)
			}
			if write(before) != tt.before {
				t.Errorf("what was given has become %s", write(before))
			}
		})
	}
}

// Whatever is set: the sum is 100, what was set is so, no share is further than
// one percent from its proportion, and nothing appears from nowhere.
// contract: TR-2
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		before := map[string]int32{}
		left := int32(100)
		for i := 0; left > 0; i++ {
			share := 1 + random.Int32N(left)
			before[fmt.Sprintf("r%d", i)] = share
			left -= share
		}
		set := map[string]int32{}
		for i, room := 0, int32(100); i < random.IntN(3); i++ {
			share := random.Int32N(room + 1)
			set[fmt.Sprintf("r%d", random.IntN(len(before)+1))] = share
			room -= share
		}
		targets := join(before, nil)
		got, err := SetPercents(targets, set)
		var sum, taken, others int32
		for _, share := range set {
			taken += share
		}
		for key, share := range before {
			if _, ok := set[key]; !ok {
				others += share
			}
		}
		if others == 0 && taken < 100 {
			if !errors.Is(err, shares.ErrUnder) {
				t.Fatalf("%v with %v: %v", before, set, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%v with %v: %v", before, set, err)
		}
		shares, _ := split(got)
		for key, share := range shares {
			sum += share
			if want, ok := set[key]; ok {
				if share != want {
					t.Fatalf("%v with %v: %s", before, set, write(got))
				}
				continue
			}
			exact := float64(before[key]) * float64(100-taken) / float64(others)
			if before[key] == 0 || float64(share) <= exact-1 || float64(share) >= exact+1 {
				t.Fatalf("%v with %v: %s, but %s should have %.2f", before, set, write(got), key, exact)
			}
		}
		if sum != 100 {
			t.Fatalf("%v with %v: %s adds up to %d", before, set, write(got), sum)
		}
	}
}

// contract: TR-4
func TestPinLatest(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":                      "a=100",
		"LATEST=100":            "a=100",
		"a=30 LATEST=70":        "a=100",
		"b=30 LATEST=70":        "a=70 b=30",
		"b=100":                 "b=100",
		"LATEST=100 LATEST#new": "a=100 LATEST#new",
	} {
		if got := write(PinLatest(parse(t, before), "a")); got != want {
			t.Errorf("%s: %s, want %s", before, got, want)
		}
	}
}

// contract: TAG-1
func TestSetTags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		before string
		set    map[string]string
		remove []string
		clear  bool
		want   string
	}{
		{"", map[string]string{"x": shares.Latest}, nil, false, "LATEST=100 LATEST#x"},
		{"a=100 b#x", map[string]string{"y": "a"}, nil, false, "a=100 b#x a#y"},
		{"a=100 b#x", map[string]string{"x": "a"}, nil, false, "a=100 a#x"},
		{"a=100 b#x b#y", nil, []string{"x", "none"}, false, "a=100 b#y"},
		{"a=100#x b#y", map[string]string{"z": "b"}, nil, true, "a=100 b#z"},
		{"a=50#x b=50", nil, nil, true, "a=50 b=50"},
	} {
		if got := write(SetTags(parse(t, tt.before), tt.set, tt.remove, tt.clear)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.before, got, tt.want)
		}
	}
	if key, ok := Tagged(parse(t, "a=100 b#x"), "x"); key != "b" || !ok {
		t.Errorf("the tag leads to %s", key)
	}
	if _, ok := Tagged(parse(t, "a=100 b#x"), ""); ok {
		t.Error("no tag leads somewhere")
	}
}
