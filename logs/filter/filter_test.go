package filter

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

// fields is a record for tests: values by path.
type fields map[string]any

func (f fields) Field(path []string) any { return f[strings.Join(path, "/")] }

func (f fields) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, v := range f {
			if text, ok := v.(string); ok && !yield(text) {
				return
			}
		}
	}
}

// testSchema knows text, labels.*, time, severity and json.*.
func testSchema() Schema {
	words := []string{"DEFAULT", "INFO", "WARNING", "ERROR"}
	return Schema{
		Kind: func(path []string) (Kind, bool) {
			kind, ok := map[string]Kind{"text": Text, "logName": Text, "labels": Text, "time": Time, "severity": Level, "json": JSON}[path[0]]
			return kind, ok
		},
		Level: func(word string) (int, bool) {
			i := slices.Index(words, strings.ToUpper(word))
			return i, i >= 0
		},
	}
}

func testRecord() fields {
	return fields{
		"text":           "Disk is FULL: /dev/sda",
		"logName":        "projects/p/logs/run.googleapis.com%2Fstdout",
		"labels/a.b/c":   "x",
		"labels/name":    "etl",
		"time":           time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		"severity":       2,
		"json/code":      json.RawMessage(`7`),
		"json/deep/text": json.RawMessage(`"Hello"`),
		"json/list":      json.RawMessage(`["a",5,true]`),
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                    true,
		"  -- only a comment":                 true,
		"text:full":                           true,
		`text = "disk is full: /dev/sda"`:     true,
		"text=full":                           false,
		"text!=full":                          true,
		`text=~"^Disk.*sda$"`:                 true,
		`text=~"^disk"`:                       false,
		`text!~"^disk"`:                       true,
		"full":                                true,
		`"is full"`:                           true,
		"empty":                               false,
		"-empty":                              true,
		"NOT full":                            false,
		"NOT NOT full":                        true,
		"severity>=WARNING":                   true,
		"severity > warning":                  false,
		"severity=(INFO OR WARNING)":          true,
		"severity = (INFO OR ERROR)":          false,
		"severity != (INFO)":                  true,
		`labels."a.b/c"=x`:                    true,
		`labels."a.b/c"=X`:                    true,
		"labels.name=etl":                     true,
		"labels.other=etl":                    false,
		"labels.other!=etl":                   false,
		"NOT labels.other=etl":                true,
		"labels.other:*":                      false,
		"labels.name:*":                       true,
		`time>="2026-11-21T10:00:00Z"`:        true,
		`time>"2026-11-21T10:00:00Z"`:         false,
		"time>=2026-11-21T09:59:59.5Z":        true,
		`time<"2026-11-21"`:                   false,
		"json.code=7":                         true,
		"json.code>6.5":                       true,
		`json.code="7"`:                       true,
		"json.code:x":                         false,
		"json.deep.text=hello":                true,
		"json.list=5":                         true,
		"json.list:A":                         true,
		"json.list=true":                      true,
		"json.nosuch=1":                       false,
		`log_id("run.googleapis.com/stdout")`: true,
		`log_id("run.googleapis.com/stderr")`: false,
		// OR binds more tightly than AND, which may be left out.
		"full OR empty AND empty":      false,
		"(full AND empty) OR full":     true,
		"full severity>=INFO":          true,
		"full severity>=ERROR":         false,
		"empty OR full severity>=INFO": true,
		"text:(disk AND sda)":          true,
		"text:(disk AND sdb)":          false,
		"text:(disk (sdb OR sda))":     true,
		"text:(disk AND NOT sdb)":      true,
		"severity>=INFO \n AND text:full -- comment\n AND NOT text:sdb": true,
	} {
		f, err := Parse(text, testSchema())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(testRecord()); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"nosuch=1":                       `there is no field "nosuch"`,
		"nosuch.deep:x":                  `there is no field "nosuch.deep"`,
		"text=":                          "it ends where more must follow",
		"text==x":                        `unexpected "=" at character 6`,
		"(full":                          "it ends where more must follow",
		"full)":                          `unexpected ")" at character 5`,
		"AND full":                       `unexpected "AND" at character 1`,
		"full OR":                        "it ends where more must follow",
		`text="x`:                        "the quote at character 6 is not closed",
		"time>yesterday":                 `"yesterday" is not a time`,
		"severity>=LOUD":                 `there is no "LOUD"`,
		`text=~"("`:                      "is not a regular expression",
		"severity=~x":                    "is not a text",
		"sample(insertId, 1)":            `there is no function "sample"`,
		"text>*":                         "stands only behind a colon",
		strings.Repeat("(", 99):          "nested",
		strings.Repeat("x", maxLength+1): "longer",
	} {
		_, err := Parse(text, testSchema())
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func TestDemands(t *testing.T) {
	t.Parallel()
	f, err := Parse(`labels.name = etl AND (time>="2026-11-20" time<"2026-11-22") AND (text=x OR text=y) AND NOT labels.a=b`, testSchema())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := f.Equal("labels", "name"); !ok || v != "etl" {
		t.Errorf("labels.name = %q, %v", v, ok)
	}
	for _, path := range [][]string{{"text"}, {"labels", "a"}} {
		if v, ok := f.Equal(path...); ok {
			t.Errorf("%v = %q", path, v)
		}
	}
	from, until := f.Bounds("time")
	if from.Format(time.DateOnly) != "2026-11-20" || until.Format(time.DateOnly) != "2026-11-22" {
		t.Errorf("bounds %v, %v", from, until)
	}
}

// That a field is there says nothing of what it holds.
func TestAnyValueDemandsNone(t *testing.T) {
	t.Parallel()
	f, err := Parse(`text=* AND time<"2026-11-22" AND time=*`, testSchema())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := f.Equal("text"); ok {
		t.Errorf("text = %q", v)
	}
	if _, until := f.Bounds("time"); until.Format(time.DateOnly) != "2026-11-22" {
		t.Errorf("until %v", until)
	}
}

// Whatever the text, reading it ends, and what was read can be asked.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`text:full AND (severity>=INFO OR NOT labels."a.b/c"=x)`, `time>="2026-11-21T10:00:00Z"`,
		"text:(a OR -b)", `log_id("x")`, `a."b".c=~'x\'y'`, "-- c\n!", "text=~(", "((((", `""`, "-", ".", "text.=*",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse(text, testSchema())
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
			return
		}
		parsed.Match(testRecord())
		parsed.Equal("text")
		parsed.Bounds("time")
	})
}
