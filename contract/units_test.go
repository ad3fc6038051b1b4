package contract_test

import (
	"testing"

	"runnel/contract"
)

// contract: CPU-2 CLI-13
func TestParseCPU(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]contract.MilliCPU{
		"1": 1000, "2": 2000, "8": 8000, "1000m": 1000, "500m": 500, "0.5": 500, ".5": 500,
		"0.08": 80, "0.001": 1, "0.999": 999, "1.5": 1500, "1.000": 1000, "0": 0, "12": 12000,
	} {
		if got, err := contract.ParseCPU(s); err != nil || got != want {
			t.Errorf("ParseCPU(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "m", ".", "one", "-1", "+1", "1 ", "1e0", "0x1", "1_0", "inf", "NaN", "1.2.3", "1k", "1mm",
		"0.0805", "80.5m", "0.0001", "99999999999", "1" + string(make([]byte, 1)),
	} {
		if got, err := contract.ParseCPU(s); err == nil {
			t.Errorf("ParseCPU(%q) = %d, want an error", s, got)
		}
	}
}

// contract: MEM-4 CLI-13
func TestParseBytes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]contract.Bytes{
		"512Mi": 512 << 20, "1Gi": 1 << 30, "32Gi": 32 << 30, "1Ti": 1 << 40, "4Ki": 4096,
		"512M": 512_000_000, "1G": 1_000_000_000, "1k": 1000, "1.5Gi": 3 << 29, "0.5Gi": 512 << 20,
		"536870912": 512 << 20, "0": 0,
	} {
		if got, err := contract.ParseBytes(s); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "Mi", "-1Mi", "+1Mi", "1 Gi", "1GB", "1GiB", "1gi", "1mi", "512m", "1e3", "0x10", "inf",
		"99999999Ti", "9223372036854775808",
	} {
		if got, err := contract.ParseBytes(s); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", s, got)
		}
	}
}

// contract: MEM-4
func TestAmountsPrintAsCloudRunEchoesThem(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1000m":     contract.DefaultCPU.String(),
		"80m":       contract.MinCPU.String(),
		"512Mi":     contract.DefaultMemory.String(),
		"32Gi":      contract.MaxMemory.String(),
		"1536Mi":    (3 << 29 * contract.Bytes(1)).String(),
		"4Ki":       contract.Bytes(4096).String(),
		"512000001": contract.Bytes(512_000_001).String(),
		"0":         contract.Bytes(0).String(),
		"1":         contract.MilliCPU(1000).CPUs(),
		"0.08":      contract.MilliCPU(80).CPUs(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
