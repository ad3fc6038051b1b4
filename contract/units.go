package contract

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MilliCPU is an amount of CPU in thousandths of a virtual CPU: 1000 is one.
type MilliCPU int64

// Bytes is an amount of memory or storage in bytes.
type Bytes int64

// Binary multiples of a byte.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// String gives the form Cloud Run echoes: "1000m".
func (m MilliCPU) String() string { return strconv.FormatInt(int64(m), 10) + "m" }

// CPUs is the same amount in whole virtual CPUs, for people: "1", "0.5".
func (m MilliCPU) CPUs() string {
	return strconv.FormatFloat(float64(m)/1000, 'f', -1, 64)
}

// String gives the largest binary unit that divides b exactly: "512Mi", "2Gi",
// and plain bytes where none does.
func (b Bytes) String() string {
	for _, u := range []struct {
		size Bytes
		name string
	}{{GiB, "Gi"}, {MiB, "Mi"}, {KiB, "Ki"}} {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// ParseCPU reads a CPU quantity as Cloud Run writes them: "1", "0.5", "500m".
// It checks the syntax only; CheckCPU says whether Cloud Run offers the amount.
func ParseCPU(s string) (MilliCPU, error) {
	digits, milli := strings.CutSuffix(s, "m")
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !plainDecimal(digits) {
		return 0, fmt.Errorf("%q is not a CPU amount: want a number such as 1, 0.5 or 500m", s)
	}
	if !milli {
		v *= 1000
	}
	m := math.Round(v)
	if math.Abs(v-m) > 1e-6 {
		return 0, fmt.Errorf("%q is finer than a thousandth of a CPU", s)
	}
	if m > math.MaxInt32 {
		return 0, fmt.Errorf("%q is not a CPU amount: it is far above any machine", s)
	}
	return MilliCPU(m), nil
}

// byteUnits are the suffixes of a memory quantity, longest first so that "Mi"
// is not read as "M".
var byteUnits = []struct {
	suffix string
	size   float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
	{"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12},
}

// ParseBytes reads a memory quantity: "512Mi", "1Gi", "512M", "1.5Gi" or plain
// bytes. It checks the syntax only.
func ParseBytes(s string) (Bytes, error) {
	digits, size := s, 1.0
	for _, u := range byteUnits {
		if d, ok := strings.CutSuffix(s, u.suffix); ok {
			digits, size = d, u.size
			break
		}
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !plainDecimal(digits) {
		return 0, fmt.Errorf("%q is not a memory amount: want a number with Mi, Gi, M or G, such as 512Mi", s)
	}
	v *= size
	if v >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is not a memory amount: it is far above any machine", s)
	}
	return Bytes(math.Round(v)), nil
}

// plainDecimal keeps out what ParseFloat takes and a quantity does not: signs,
// exponents, hexadecimal, underscores, "inf".
func plainDecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == "" && s != "."
}
