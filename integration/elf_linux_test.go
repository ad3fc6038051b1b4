package integration

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// Machines of an executable.
const (
	machineAMD64 = elf.EM_X86_64
	machineARM64 = elf.EM_AARCH64
)

// executable is the smallest executable for Linux: headers and code.
func executable(machine elf.Machine, code []byte) string {
	const base, headers = 0x400000, 64 + 56
	var b bytes.Buffer
	size := uint64(headers + len(code))
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Entry: base + headers, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	// Writing to a buffer cannot fail.
	_ = binary.Write(&b, binary.LittleEndian, header)
	_ = binary.Write(&b, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base,
		Filesz: size, Memsz: size, Align: 0x1000,
	})
	b.Write(code)
	return b.String()
}

func TestExecutableIsOne(t *testing.T) {
	t.Parallel()
	f, err := elf.NewFile(bytes.NewReader([]byte(executable(machineARM64, []byte{0}))))
	if err != nil || f.Machine != machineARM64 || len(f.Progs) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}
