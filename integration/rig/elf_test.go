package rig

import (
	"bytes"
	"debug/elf"
	"testing"
)

func TestExecutableIsOne(t *testing.T) {
	t.Parallel()
	f, err := elf.NewFile(bytes.NewReader([]byte(Executable(elf.EM_AARCH64, []byte{0}))))
	if err != nil || f.Machine != elf.EM_AARCH64 || len(f.Progs) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}
