package v1

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestSelectorsChooseByLabels(t *testing.T) {
	t.Parallel()
	objects := map[string]map[string]string{
		"plain": {},
		"red":   {"color": "red", "run.googleapis.com/job": "a"},
		"blue":  {"color": "blue", "run.googleapis.com/job": "a"},
		"empty": {"color": ""},
	}
	for text, want := range map[string]string{
		"":                             "blue empty plain red",
		" ":                            "blue empty plain red",
		"color = red":                  "red",
		"color=red":                    "red",
		"color == red":                 "red",
		"color != red":                 "blue empty plain",
		"color":                        "blue empty red",
		"!color":                       "plain",
		"! color":                      "plain",
		"color in (red, blue)":         "blue red",
		"color in (red,)":              "empty red",
		"color in(red)":                "red",
		"color notin (red, blue)":      "empty plain",
		"color notIn (red)":            "blue empty plain",
		"color =":                      "empty",
		"run.googleapis.com/job = a":   "blue red",
		"color,color != red , other=x": "",
		"run.googleapis.com/job = a,color in (blue,green)":      "blue",
		"run.googleapis.com/job = a, color != blue, !nonesuch ": "red",
	} {
		s, err := parseSelector(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			if s.matches(objects[name]) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q chooses %v, want %s", text, got, want)
		}
	}
}

func TestBadSelectorsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"=", "a b", "a in b", "a in (b", "a >", "a,", ",a", "a=b c", "a in (b) c", "!", "a notin", "(a)"} {
		if s, err := parseSelector(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}

func FuzzParseSelector(f *testing.F) {
	f.Add("run.googleapis.com/execution = e,run.googleapis.com/runningState in (Running,Pending), !a, b!=c")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSelector(text)
		if err == nil {
			s.matches(map[string]string{"a": "b"})
			s.only("a")
		}
	})
}

func TestTheLocationStandsBeforeTheHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"us-central1-localhost:8787":        "us-central1",
		"US-Central1-localhost":             "us-central1",
		"northamerica-northeast2-box.lan":   "northamerica-northeast2",
		"me-west1-run.example.com:80":       "me-west1",
		"here-localhost":                    "here",
		"localhost:8787":                    "",
		"127.0.0.1:8787":                    "",
		"my-host1-build":                    "",
		"us-central1":                       "",
		"":                                  "",
		"run.example.com":                   "",
		"[::1]:8787":                        "",
		"build-server1.us-central1.example": "",
	} {
		if got := hostLocation(host, "here"); got != want {
			t.Errorf("%q is in %q, want %q", host, got, want)
		}
	}
}
