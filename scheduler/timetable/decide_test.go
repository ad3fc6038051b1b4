package timetable

import (
	"testing"
	"time"
)

// contract: KF-11
func TestWhatIsDue(t *testing.T) {
	t.Parallel()
	const clock = "2026-11-27T"
	for _, tt := range []struct {
		name, expression, handled, now string
		due                            string
		missed                         int
		next                           string
		anew                           bool
	}{
		{name: "not yet", expression: "0 * * * *", handled: clock + "09:00:00Z", now: clock + "09:59:59Z", next: clock + "10:00:00Z"},
		{name: "to the second", expression: "0 * * * *", handled: clock + "09:00:00Z", now: clock + "10:00:00Z", due: clock + "10:00:00Z", next: clock + "11:00:00Z"},
		{name: "seen to", expression: "0 * * * *", handled: clock + "10:00:00Z", now: clock + "10:00:00Z", next: clock + "11:00:00Z"},
		{name: "a moment late", expression: "0 * * * *", handled: clock + "09:00:00Z", now: clock + "10:00:59Z", due: clock + "10:00:00Z", next: clock + "11:00:00Z"},
		{name: "three missed, the newest is run", expression: "0 * * * *", handled: clock + "06:10:00Z", now: clock + "09:20:00Z", due: clock + "09:00:00Z", missed: 2, next: clock + "10:00:00Z"},
		{name: "many missed", expression: "* * * * *", handled: clock + "00:00:00Z", now: clock + "09:20:30Z", due: clock + "09:20:00Z", missed: MaxMissed, next: clock + "09:21:00Z"},
		{name: "a day missed", expression: "0 3 * * *", handled: "2026-11-25T03:00:00Z", now: clock + "02:59:00Z", due: "2026-11-26T03:00:00Z", next: clock + "03:00:00Z"},
		{name: "missed within the bound", expression: "0 0 21 * *", handled: "2026-10-21T00:00:00Z", now: clock + "12:00:00Z", due: "2026-11-21T00:00:00Z", next: "2026-12-21T00:00:00Z"},
		{name: "missed too long ago", expression: "0 0 20 * *", handled: "2026-10-20T00:00:00Z", now: clock + "12:00:00Z", next: "2026-12-20T00:00:00Z"},
		{name: "the clock jumps forward", expression: "0 * * * *", handled: clock + "09:00:00Z", now: "2026-11-28T09:30:00Z", due: "2026-11-28T09:00:00Z", missed: 23, next: "2026-11-28T10:00:00Z"},
		{name: "the clock jumps back a little", expression: "*/10 * * * *", handled: clock + "10:00:00Z", now: clock + "09:05:00Z", next: clock + "10:10:00Z"},
		{name: "the clock jumps back a lot", expression: "*/10 * * * *", handled: "2027-11-27T10:00:00Z", now: clock + "09:05:00Z", next: clock + "09:10:00Z", anew: true},
		{name: "never", expression: "0 0 30 2 *", handled: "2026-01-01T00:00:00Z", now: clock + "00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := Decision{Missed: tt.missed, Anew: tt.anew}
			if tt.due != "" {
				want.Due = at(t, tt.due)
			}
			if tt.next != "" {
				want.Next = at(t, tt.next)
			}
			got := read(t, tt.expression, "").Decide(at(t, tt.handled), at(t, tt.now))
			if !got.Due.Equal(want.Due) || !got.Next.Equal(want.Next) || got.Missed != want.Missed || got.Anew != want.Anew {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// However often it is looked at, and however long it takes, each tick is due
// once, in order.
func TestEachTickIsDueOnce(t *testing.T) {
	t.Parallel()
	for zone, days := range map[string][]string{
		"UTC":                 {"2026-10-01T00:00:00Z"},
		"America/New_York":    {"2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"},
		"Australia/Lord_Howe": {"2026-04-04T00:00:00Z", "2026-10-03T00:00:00Z"},
	} {
		table := read(t, "*/10 1,2,3 * * *", zone)
		for _, day := range days {
			handled := at(t, day)
			expected := table.Next(handled)
			for now := handled; now.Before(at(t, day).AddDate(0, 0, 3)); now = now.Add(50 * time.Second) {
				d := table.Decide(handled, now)
				if d.Due.IsZero() {
					continue
				}
				if !d.Due.Equal(expected) || d.Missed != 0 {
					t.Fatalf("%s: at %v %v is due with %d missed, want %v", zone, now, d.Due, d.Missed, expected)
				}
				handled, expected = d.Due, d.Next
			}
		}
	}
}
