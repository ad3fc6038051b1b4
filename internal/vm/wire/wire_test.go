package wire

import (
	"testing"
	"time"
)

func TestParseReadsWhatStringWrote(t *testing.T) {
	t.Parallel()
	for _, want := range []Mark{
		{Kind: Hello},
		{Kind: Beat},
		{Kind: Begin, Text: "runnel/cgroups"},
		{Kind: End, Code: 1, Took: 1500 * time.Millisecond, Text: "runnel/runtime/shim/server"},
		{Kind: Trouble, Text: "mount /dev/vda: no such device"},
	} {
		got, ok := Parse(want.String())
		if !ok || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", want.String(), got, ok, want)
		}
	}
}

func TestParseLeavesOutputAlone(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "--- PASS: TestA (0.00s)", "vm hello 0 0 ", "\x01vm end", "\x01vm end x y z"} {
		if m, ok := Parse(line); ok {
			t.Errorf("Parse(%q) = %+v, want no mark", line, m)
		}
	}
}

func TestMarkKeepsToOneLine(t *testing.T) {
	t.Parallel()
	m, ok := Parse(Mark{Kind: Trouble, Text: "one\ntwo"}.String())
	if !ok || m.Text != "one two" {
		t.Errorf("got %+v, %v; want the text on one line", m, ok)
	}
}
