package contract_test

import (
	"strings"
	"testing"

	"runnel/contract"
)

// contract: CPU-1 MEM-1 JOB-9
func TestDefaultResources(t *testing.T) {
	t.Parallel()
	if contract.DefaultCPU != 1000 || contract.DefaultMemory != 512*1024*1024 {
		t.Errorf("defaults are %v and %v, want one CPU and 512 MiB", contract.DefaultCPU, contract.DefaultMemory)
	}
	if err := contract.CheckMemory(contract.DefaultCPU, contract.DefaultMemory); err != nil {
		t.Errorf("the defaults do not fit together: %v", err)
	}
}

// contract: CPU-2
func TestCheckCPU(t *testing.T) {
	t.Parallel()
	offered := map[contract.MilliCPU]bool{2000: true, 4000: true, 6000: true, 8000: true}
	for m := contract.MilliCPU(80); m <= 1000; m++ {
		offered[m] = true
	}
	for m := contract.MilliCPU(-1); m <= 9000; m++ {
		if err := contract.CheckCPU(m); (err == nil) != offered[m] {
			t.Errorf("CheckCPU(%v) = %v", m, err)
		}
	}
	if err := contract.CheckCPU(1500); err == nil || !strings.HasPrefix(err.Error(), "1.5 CPU") {
		t.Errorf("CheckCPU(1500m) = %v, want it to name 1.5 CPU", err)
	}
}

// contract: CPU-3 MEM-4
func TestCheckMemory(t *testing.T) {
	t.Parallel()
	const mi, gi = contract.MiB, contract.GiB
	for _, tt := range []struct {
		cpu      contract.MilliCPU
		min, max contract.Bytes
	}{
		{80, 128 * mi, 512 * mi},
		{499, 128 * mi, 512 * mi},
		{500, 128 * mi, 1 * gi},
		{999, 128 * mi, 1 * gi},
		{1000, 128 * mi, 4 * gi},
		{2000, 128 * mi, 8 * gi},
		{4000, 2 * gi, 16 * gi},
		{6000, 4 * gi, 24 * gi},
		{8000, 4 * gi, 32 * gi},
	} {
		for memory, ok := range map[contract.Bytes]bool{
			tt.min: true, tt.max: true, tt.min - 1: false, tt.max + 1: false, 0: false, -1: false, 1024 * gi: false,
		} {
			if err := contract.CheckMemory(tt.cpu, memory); (err == nil) != ok {
				t.Errorf("CheckMemory(%v, %v) = %v", tt.cpu, memory, err)
			}
		}
	}
	if err := contract.CheckMemory(1500, gi); err != nil {
		t.Errorf("an amount between two bands: %v", err)
	}
	if err := contract.CheckMemory(9000, 8*gi); err == nil {
		t.Error("9 CPU were accepted")
	}
}
