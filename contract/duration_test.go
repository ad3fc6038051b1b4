package contract_test

import (
	"strings"
	"testing"
	"time"

	"runnel/contract"
)

// contract: CLI-13 JOB-4
func TestParseDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"10":         10 * time.Second,
		"0":          0,
		"0600":       10 * time.Minute,
		"600s":       10 * time.Minute,
		"10m5s":      10*time.Minute + 5*time.Second,
		"1h":         time.Hour,
		"1h0m1s":     time.Hour + time.Second,
		"168h":       7 * 24 * time.Hour,
		"7d":         7 * 24 * time.Hour,
		"1d2h3m4s":   26*time.Hour + 3*time.Minute + 4*time.Second,
		"9223372036": 9223372036 * time.Second,
	} {
		if got, err := contract.ParseDuration(s); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
}

// contract: CLI-13
func TestParseDurationRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "s", "ten", "-1", "+1", "-1s", "1.5s", "1e3", "10 s", " 10", "10m5", "5s10m", "1m1m", "10S",
		"10ms", "10x", "1h ", "9223372037", "99999999999999999999", "99999999999999999999s", "106752d",
		"106751d23h47m17s",
	} {
		if got, err := contract.ParseDuration(s); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", s, got)
		} else if !strings.Contains(err.Error(), `"`+s+`"`) {
			t.Errorf("ParseDuration(%q): %v does not quote it", s, err)
		}
	}
}
