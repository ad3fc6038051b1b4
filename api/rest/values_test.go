package rest_test

import (
	"strings"
	"testing"

	"runnel/api/rest"
)

// A small body must not become a large request.
func TestHowManyValuesABodyHoldsIsBounded(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	many := func(one string) string { return one + strings.Repeat(","+one, rest.MaxValues) }
	for name, body := range map[string]string{
		"empty messages": `{"template":{"template":{"containers":[` + many("{}") + `]}}}`,
		"unknown fields": `{"template":{"template":{"containers":[` + many(`{"x":1}`) + `]}}}`,
		"members":        `{` + many(`"k":1`) + `}`,
		"no JSON":        strings.Repeat("{", rest.MaxValues),
		"escapes":        `{"a":"\\\"",` + many(`"k":1`) + `}`,
	} {
		code, _, text := p.call(t, "POST", parent+"/jobs", body)
		if f := parseFailure(t, text); code != 413 || f.Error.Status != "INVALID_ARGUMENT" || !strings.Contains(f.Error.Message, "values") {
			t.Errorf("%s: %d %.300s", name, code, text)
		}
	}
	for name, value := range map[string]string{
		"marks in a text":      strings.Repeat(",{[", rest.MaxValues),
		"behind an escape":     `\"` + strings.Repeat(",", rest.MaxValues+1),
		"behind a back stroke": `\\`,
	} {
		if code, _, text := p.call(t, "POST", parent+"/jobs", `{"labels":{"a":"`+value+`"}}`); code != 200 {
			t.Errorf("%s: %d %.300s", name, code, text)
		}
	}
}
