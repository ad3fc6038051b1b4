package format

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// transform is something done to a value before it is shown.
type transform func(value any) any

// parseTransform reads a transform of gcloud's, by its name and arguments.
func parseTransform(name, arguments string) (transform, error) {
	args := map[string]string{}
	var first string
	for i, a := range split(arguments, ',') {
		k, v, named := cutOutside(strings.TrimSpace(a), '=')
		switch {
		case named:
			args[k] = strings.Trim(v, `"'`)
		case i == 0:
			first = strings.Trim(k, `"'`)
		}
	}
	switch name {
	case "basename":
		return func(v any) any { return onText(v, path.Base) }, nil
	case "len":
		return func(v any) any { return length(v) }, nil
	case "list", "join":
		separator := first
		if separator == "" {
			separator = args["separator"]
		}
		if separator == "" {
			separator = ","
		}
		return func(v any) any { return joined(v, separator) }, nil
	case "yesno":
		return func(v any) any { return yesno(v, args["yes"], args["no"]) }, nil
	case "date":
		layout := first
		if layout == "" {
			layout = args["format"]
		}
		return func(v any) any { return onText(v, func(s string) string { return date(s, layout) }) }, nil
	}
	return nil, fmt.Errorf("transform %s() is not supported: want basename, date, join, len, list or yesno", name)
}

// onText applies f to a value that is a text.
func onText(v any, f func(string) string) any {
	if s, ok := v.(string); ok && s != "" {
		return f(s)
	}
	return v
}

// length is the number of what v holds.
func length(v any) int {
	switch x := v.(type) {
	case []any:
		return len(x)
	case map[string]any:
		return len(x)
	case string:
		return len(x)
	}
	return 0
}

// joined is a list in one text.
func joined(v any, separator string) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	return strings.Join(each(list), separator)
}

// yesno says whether there is a value that is neither 0 nor false: with yes if
// that is said, or else with the value itself.
func yesno(v any, yes, no string) any {
	switch s := text(v); {
	case s == "" || s == "0" || s == "False":
		return no
	case yes != "":
		return yes
	}
	return v
}

// date writes a time of RFC 3339 as a strftime format says; without one, as
// 2006-01-02T15:04:05. What is no time stays.
func date(s, format string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	if format == "" {
		return t.UTC().Format("2006-01-02T15:04:05")
	}
	return strings.NewReplacer(
		"%Y", t.UTC().Format("2006"), "%m", t.UTC().Format("01"), "%d", t.UTC().Format("02"),
		"%H", t.UTC().Format("15"), "%M", t.UTC().Format("04"), "%S", t.UTC().Format("05"),
		"%F", t.UTC().Format(time.DateOnly), "%T", t.UTC().Format(time.TimeOnly), "%Z", "UTC", "%%", "%",
	).Replace(format)
}
