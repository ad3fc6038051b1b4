package look

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

func TestRightsAreReadByTheKernelsNumbers(t *testing.T) {
	t.Parallel()
	s := status{"CapEff": "00000000a80425fb", "CapBnd": "0000038000000001", "SigBlk": "0000000000004001", "NoNewPrivs": "1", "Seccomp": "2"}
	got := capabilities(s)
	if len(got.Effective) != 14 || got.Effective[0] != "CAP_CHOWN" || got.Effective[13] != "CAP_SETFCAP" {
		t.Errorf("effective: %q", got.Effective)
	}
	if want := []string{"CAP_CHOWN", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", "CAP_41"}; !slices.Equal(got.Bounding, want) {
		t.Errorf("bounding: %q, want %q", got.Bounding, want)
	}
	if got := signals(s).Blocked; !slices.Equal(got, []int{1, 15}) {
		t.Errorf("blocked: %v, want SIGHUP and SIGTERM", got)
	}
	if got := confinement(s); !got.NoNewPrivileges || got.Seccomp != "filter" {
		t.Errorf("confined by %+v", got)
	}
}

func TestReportHasTheSectionsItSays(t *testing.T) {
	t.Parallel()
	got, err := new(Report).Only(Sections()...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := new(Report).Only()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := asJSON(t, got), asJSON(t, all); !maps.EqualFunc(a, b, func(any, any) bool { return true }) {
		t.Errorf("the sections are\n%v of\n%v", a, b)
	}
	r := Around(t.Context(), Beginning{}, "ids", "confinement")
	if r.IDs.PID == 0 || r.Confinement.Seccomp == "" || r.Limits != nil || r.Mounts != nil {
		t.Errorf("of two sections there is %+v", r)
	}
}

// asJSON are the parts of a value by their names.
func asJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]any
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	return parts
}
