package main

import (
	"context"
	"testing"

	"runnel/cmd/runnel/doctor"
)

func findings(statuses ...doctor.Status) func(context.Context) []doctor.Finding {
	return func(context.Context) []doctor.Finding {
		all := []doctor.Finding{
			{Name: "kernel", Detail: "6.18"},
			{Name: "open files", Detail: "20000, not 25000", Advice: "raise it"},
		}
		for i, s := range statuses {
			all[i].Status = s
		}
		return all
	}
}

func TestDoctorShowsATable(t *testing.T) {
	t.Parallel()
	got := try(t, nil, env{Examine: findings(doctor.OK, doctor.Degraded)}, "doctor")
	want := `CHECK       STATUS    DETAIL            WHAT TO DO
kernel      ok        6.18              -
open files  degraded  20000, not 25000  raise it
`
	if got.stdout != want || got.code != 0 || got.stderr != "" {
		t.Errorf("exit %d, stderr %q, stdout\n%s\nwant\n%s", got.code, got.stderr, got.stdout, want)
	}
}

func TestDoctorFailsIfAnythingIsMissing(t *testing.T) {
	t.Parallel()
	got := try(t, nil, env{Examine: findings(doctor.OK, doctor.Missing)}, "doctor", "--format", "json")
	want := `[
  {
    "name": "kernel",
    "status": "ok",
    "detail": "6.18"
  },
  {
    "name": "open files",
    "status": "missing",
    "detail": "20000, not 25000",
    "advice": "raise it"
  }
]
`
	if got.stdout != want || got.code != 1 {
		t.Errorf("exit %d, stdout\n%s\nwant\n%s", got.code, got.stdout, want)
	}
}
