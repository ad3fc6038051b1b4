package timetable

import (
	"slices"
	"testing"
	"time"
)

// read makes a timetable that has to be one.
func read(t *testing.T, expression, zone string) *Timetable {
	t.Helper()
	z, err := Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	table, err := Parse(expression, z)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return table
}

// at reads a time such as 2026-03-29T01:00:00Z.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// ticks are the first n after a time, as the zone's clock shows them.
func ticks(table *Timetable, after time.Time, n int) (shown []string) {
	for range n {
		if after = table.Next(after); after.IsZero() {
			break
		}
		shown = append(shown, after.In(table.zone).Format("02 15:04 -0700"))
	}
	return shown
}

// contract: KF-11
func TestTicksWhereTheClockIsSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, expression, zone, after string
		want                          []string
	}{
		{"forward, a time that does not exist", "30 2 * * *", "America/New_York", "2026-03-07T06:00:00Z",
			[]string{"07 02:30 -0500", "08 03:00 -0400", "09 02:30 -0400"}},
		{"forward, the time at which it is set", "0 3 * * *", "America/New_York", "2026-03-07T12:00:00Z",
			[]string{"08 03:00 -0400", "09 03:00 -0400"}},
		{"forward, several that do not exist are one", "*/15 2,3 * * *", "America/New_York", "2026-03-08T05:00:00Z",
			[]string{"08 03:00 -0400", "08 03:15 -0400", "08 03:30 -0400"}},
		{"forward, every half hour", "*/30 * * * *", "America/New_York", "2026-03-08T06:00:00Z",
			[]string{"08 01:30 -0500", "08 03:00 -0400", "08 03:30 -0400"}},
		{"forward at midnight", "0 0 * * *", "Africa/Cairo", "2026-04-22T23:00:00Z",
			[]string{"24 01:00 +0300", "25 00:00 +0300"}},
		{"forward by half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
			[]string{"04 02:30 +1100", "05 02:15 +1100"}},
		{"back, a time that comes twice", "30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z",
			[]string{"01 01:30 -0400", "02 01:30 -0500"}},
		{"back, from between the two", "30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z",
			[]string{"02 01:30 -0500"}},
		{"back, every hour", "30 * * * *", "America/New_York", "2026-11-01T04:00:00Z",
			[]string{"01 00:30 -0400", "01 01:30 -0400", "01 01:30 -0500", "01 02:30 -0500"}},
		{"back, the time at which it is set", "0 2 * * *", "America/New_York", "2026-10-31T12:00:00Z",
			[]string{"01 02:00 -0500", "02 02:00 -0500"}},
		{"back at midnight", "0 0 * * *", "Africa/Cairo", "2026-10-28T23:00:00Z",
			[]string{"30 00:00 +0200", "31 00:00 +0200"}},
		{"back before midnight", "30 23 * * *", "Africa/Cairo", "2026-10-28T23:00:00Z",
			[]string{"29 23:30 +0300", "30 23:30 +0200"}},
		{"a day that was left out", "0 12 30 12 *", "Pacific/Apia", "2010-12-31T00:00:00Z",
			[]string{"31 00:00 +1400", "30 12:00 +1400"}},
		{"either day", "0 0 13 * FRI", "", "2026-11-05T00:00:00Z",
			[]string{"06 00:00 +0000", "13 00:00 +0000", "20 00:00 +0000"}},
		{"a leap day", "0 0 29 2 *", "Europe/Paris", "2096-03-01T00:00:00Z", []string{"29 00:00 +0100"}},
		{"never", "0 0 30 2 *", "Europe/Paris", "2026-03-01T00:00:00Z", nil},
		{"a word", "@weekly", "utc", "2026-11-27T00:00:00Z", []string{"29 00:00 +0000", "06 00:00 +0000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := read(t, tt.expression, tt.zone)
			n := len(tt.want)
			if got := ticks(table, at(t, tt.after), max(n, 1)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Every minute is one, whatever the clock on the wall shows.
func TestEveryMinuteIsEveryMinute(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham"} {
		table := read(t, "* * * * *", zone)
		for _, day := range []string{"2026-03-08T05:00:00Z", "2026-04-04T12:00:00Z", "2026-04-23T20:00:00Z", "2026-09-26T12:00:00Z", "2026-10-03T12:00:00Z", "2026-11-01T04:00:00Z"} {
			from := at(t, day)
			for i := range 600 {
				want := from.Add(time.Minute)
				if from = table.Next(from); !from.Equal(want) {
					t.Fatalf("%s: tick %d is at %v, want %v", zone, i, from, want)
				}
			}
		}
	}
}

// What Next finds does not depend on where it is asked from.
func TestTicksAreTheSameFromWhereverTheyAreLookedFor(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"30 2 * * *", "15,45 1-3 * * *", "0 * * * *", "*/20 */2 * * *"} {
		for _, zone := range []string{"America/New_York", "Australia/Lord_Howe", "Africa/Cairo"} {
			table := read(t, expression, zone)
			for _, month := range []string{"2026-03-07T00:00:00Z", "2026-04-03T00:00:00Z", "2026-04-22T00:00:00Z", "2026-10-02T00:00:00Z", "2026-10-28T00:00:00Z", "2026-10-31T00:00:00Z"} {
				next := table.Next(at(t, month))
				for now := at(t, month); now.Before(at(t, month).AddDate(0, 0, 3)); now = now.Add(7 * time.Minute) {
					if !now.Before(next) {
						next = table.Next(next)
					}
					if got := table.Next(now); !got.Equal(next) {
						t.Fatalf("%s in %s: from %v it is %v, want %v", expression, zone, now, got, next)
					}
				}
			}
		}
	}
}

func TestExpressionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want string }{
		{"", `is missing: want cron's five fields, such as "0 3 * * *"`},
		{"* * * *", `"* * * *" has 4 fields: want five: minute, hour, day of month, month, day of week`},
		{"0 0 * * * *", `"0 0 * * * *" has 6 fields: want five: minute, hour, day of month, month, day of week`},
		{"60 * * * *", `the minute "60" cannot be read: want 0-59, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 24 * * *", `the hour "24" cannot be read: want 0-23, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 0 0 * *", `the day of month "0" cannot be read: want 1-31, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 0 * FOO *", `the month "FOO" cannot be read: want 1-12 or JAN-DEC, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 0 * * 8", `the day of week "8" cannot be read: want 0-7 or SUN-SAT, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"*/0 * * * *", `the minute "*/0" cannot be read: want 0-59, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"*-5 * * * *", `the minute "*-5" cannot be read: want 0-59, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"5-1 * * * *", `the minute "5-1" cannot be read: want 0-59, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 22-2/2 * * *", `the hour "22-2/2" cannot be read: want 0-23, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"1,,2 * * * *", `the minute "1,,2" cannot be read: want 0-59, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 0 , * *", `the day of month "," cannot be read: want 1-31, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"0 0 * * 7-1", `the day of week "7-1" cannot be read: want 0-7 or SUN-SAT, or "*", with lists (1,2), ranges (1-3) and steps (*/5)`},
		{"every 5 minutes", `"every 5 minutes" is in words: want cron's five fields, such as "*/5 * * * *"`},
		{"1st monday of month 09:00", `"1st monday of month 09:00" is in words: want cron's five fields, such as "*/5 * * * *"`},
		{"@every 5m", `"@every 5m" is not offered: want @hourly, @daily, @weekly, @monthly, @yearly or cron's five fields`},
		{"@reboot", `"@reboot" is not offered: want @hourly, @daily, @weekly, @monthly, @yearly or cron's five fields`},
		{"@manual", `"@manual" is not offered: want @hourly, @daily, @weekly, @monthly, @yearly or cron's five fields`},
		{"TZ=Asia/Tokyo 0 0 * * *", `"TZ=Asia/Tokyo 0 0 * * *" names a time zone: that has a field of its own`},
	} {
		if _, err := Parse(tt.expression, time.UTC); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.expression, err, tt.want)
		}
	}
}

func TestTimeZones(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "UTC", "utc": "UTC", "UTC": "UTC", "Etc/UTC": "Etc/UTC", "Asia/Kolkata": "Asia/Kolkata"} {
		if zone, err := Zone(name); err != nil || zone.String() != want {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{"Local", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "EST5EDT6"} {
		if zone, err := Zone(name); err == nil {
			t.Errorf("%q is taken for %v", name, zone)
		}
	}
}
