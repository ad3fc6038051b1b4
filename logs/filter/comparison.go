package filter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// comparison compares a field with a value.
type comparison struct {
	path []string
	name string
	kind Kind
	op   string
	// text is the value as it was written; any says that every value will do.
	text string
	any  bool

	// What the value is to the kind of field.
	lower   string
	time    time.Time
	level   int
	number  float64
	numeric bool
	pattern *regexp.Regexp
}

// compile finds out what the value is. left is how many steps regular
// expressions may still have, and then how many there may be after this one.
func (c *comparison) compile(schema Schema, left *int) (err error) {
	c.lower = strings.ToLower(c.text)
	c.number, err = strconv.ParseFloat(c.text, 64)
	c.numeric = err == nil
	if c.any {
		if c.op != ":" && c.op != "=" {
			return fmt.Errorf("%s: * stands only behind a colon", c.name)
		}
		return nil
	}
	if c.op == "=~" || c.op == "!~" {
		if c.kind == Time || c.kind == Level {
			return fmt.Errorf("%s is not a text, which %s is for", c.name, c.op)
		}
		if c.pattern, *left, err = compilePattern(c.text, *left); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		return nil
	}
	switch c.kind {
	case Time:
		if c.time, err = parseTime(c.text); err != nil {
			return fmt.Errorf("%s: %q is not a time such as 2026-11-21T10:00:00Z", c.name, c.text)
		}
	case Level:
		var ok bool
		if c.level, ok = schema.Level(c.text); !ok {
			return fmt.Errorf("%s: there is no %q", c.name, c.text)
		}
	}
	return nil
}

// parseTime reads a time, which may be a day alone.
func parseTime(s string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err = time.Parse(layout, s); err == nil {
			break
		}
	}
	return t, err
}

func (c *comparison) match(r Record) bool {
	value := r.Field(c.path)
	if value == nil {
		return false
	}
	if c.any {
		return true
	}
	switch v := value.(type) {
	case time.Time:
		return c.ordered(v.Compare(c.time))
	case int:
		return c.ordered(cmp.Compare(v, c.level))
	case bool:
		return c.matchText(strconv.FormatBool(v))
	case string:
		return c.matchText(v)
	case json.RawMessage:
		return c.matchJSON(v)
	}
	return false
}

// ordered says what the order of a field and the value comes to.
func (c *comparison) ordered(order int) bool {
	switch c.op {
	case "=", ":":
		return order == 0
	case "!=":
		return order != 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	}
	return false
}

func (c *comparison) matchText(v string) bool {
	switch c.op {
	case "=~":
		return c.pattern.MatchString(v)
	case "!~":
		return !c.pattern.MatchString(v)
	case ":":
		return strings.Contains(strings.ToLower(v), c.lower)
	}
	return c.ordered(strings.Compare(strings.ToLower(v), c.lower))
}

// matchJSON compares with a value of JSON: a list is whatever one of its
// elements is.
func (c *comparison) matchJSON(raw json.RawMessage) bool {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return false
	}
	return c.matchAny(value)
}

func (c *comparison) matchAny(value any) bool {
	switch v := value.(type) {
	case string:
		return c.matchText(v)
	case float64:
		if c.numeric && c.pattern == nil {
			return c.ordered(cmp.Compare(v, c.number))
		}
		return c.pattern != nil && c.matchText(strconv.FormatFloat(v, 'f', -1, 64))
	case bool:
		return c.matchText(strconv.FormatBool(v))
	case []any:
		for _, element := range v {
			if c.matchAny(element) {
				return true
			}
		}
	}
	return false
}
