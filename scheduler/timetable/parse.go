package timetable

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// DefaultZone is the time zone of a schedule that names none.
// Source: Cloud Scheduler API v1, Job.time_zone; gcloud scheduler jobs create.
const DefaultZone = "Etc/UTC"

// Zone finds a time zone by its name in the IANA database; "" is DefaultZone.
func Zone(name string) (*time.Location, error) {
	switch {
	case name == "", strings.EqualFold(name, "utc"):
		return time.UTC, nil
	case strings.EqualFold(name, "local"):
		return nil, fmt.Errorf("%q says nothing about where: want a name such as Europe/Paris or Etc/UTC", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone: want a name of the IANA database such as Europe/Paris or Etc/UTC", name)
	}
	return zone, nil
}

// field is one of cron's five.
type field struct{ name, want string }

// fields are those of an expression, in their order.
var fields = [...]field{
	{"minute", "0-59"},
	{"hour", "0-23"},
	{"day of month", "1-31"},
	{"month", "1-12 or JAN-DEC"},
	{"day of week", "0-7 or SUN-SAT"},
}

// maxExpression is more than any expression has, in bytes.
const maxExpression = 500

// Parse reads an expression: cron's five fields, or one of @yearly, @monthly,
// @weekly, @daily and @hourly. Where both days are given either is enough. The
// error says which field is wrong and what would be right. An expression may be
// one that is never due.
func Parse(expression string, zone *time.Location) (*Timetable, error) {
	expression = strings.TrimSpace(expression)
	if err := check(expression); err != nil {
		return nil, err
	}
	read, err := parser().Parse(expression)
	if err != nil {
		return nil, wrong(expression)
	}
	spec, ok := read.(*cron.SpecSchedule)
	if !ok {
		return nil, unknownWord(expression)
	}
	spec.Location = time.UTC
	const allHours = 1<<24 - 1
	return &Timetable{fields: spec, zone: zone, hourly: spec.Hour&allHours == allHours}, nil
}

// parser reads what cron(8) does.
func parser() cron.Parser {
	return cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom).
		WithMaxSearchYears(searchYears)
}

// check finds what is not even the shape of an expression.
func check(expression string) error {
	words := strings.Fields(expression)
	switch {
	case len(words) == 0:
		return errors.New("is missing: want cron's five fields, such as \"0 3 * * *\"")
	case len(expression) > maxExpression:
		return fmt.Errorf("has %d bytes: want at most %d", len(expression), maxExpression)
	case strings.HasPrefix(expression, "TZ="), strings.HasPrefix(expression, "CRON_TZ="):
		return fmt.Errorf("%q names a time zone: that has a field of its own", expression)
	case strings.EqualFold(words[0], "every"), strings.Contains(expression, " of "):
		return fmt.Errorf("%q is in words: want cron's five fields, such as \"*/5 * * * *\"", expression)
	case words[0][0] == '@' && len(words) == 1:
		return nil
	case words[0][0] == '@':
		return unknownWord(expression)
	case len(words) != len(fields):
		return fmt.Errorf("%q has %d fields: want five: minute, hour, day of month, month, day of week", expression, len(words))
	}
	if i := slices.IndexFunc(words, isSloppy); i >= 0 {
		return unreadable(i, words[i])
	}
	return nil
}

// isSloppy reports what the parser reads although cron(8) does not: an item of a
// list that is empty, "*" in a range, which it takes for all, and a range of
// numbers that runs backwards. A slip must not make a schedule run at other
// times.
func isSloppy(word string) bool {
	return slices.ContainsFunc(strings.Split(word, ","), func(item string) bool {
		span, _, _ := strings.Cut(item, "/")
		from, to, isRange := strings.Cut(span, "-")
		first, err := strconv.Atoi(from)
		last, lastErr := strconv.Atoi(to)
		return item == "" || isRange && (from == "*" || from == "?" || err == nil && lastErr == nil && first > last)
	})
}

// unknownWord says which words there are for whole expressions.
func unknownWord(expression string) error {
	return fmt.Errorf("%q is not offered: want @hourly, @daily, @weekly, @monthly, @yearly or cron's five fields", expression)
}

// unreadable says what the field i would be.
func unreadable(i int, word string) error {
	return fmt.Errorf("the %s %q cannot be read: want %s, or \"*\", with lists (1,2), ranges (1-3) and steps (*/5)", fields[i].name, word, fields[i].want)
}

// wrong says which field of an expression cannot be read.
func wrong(expression string) error {
	words := strings.Fields(expression)
	if len(words) != len(fields) {
		return unknownWord(expression)
	}
	for i, word := range words {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = word
		if _, err := parser().Parse(strings.Join(alone, " ")); err != nil {
			return unreadable(i, word)
		}
	}
	return fmt.Errorf("%q cannot be read: want cron's five fields, such as \"0 3 * * *\"", expression)
}
