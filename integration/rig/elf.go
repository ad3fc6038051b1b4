package rig

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
)

// Executable is the smallest executable for Linux: headers and code.
func Executable(machine elf.Machine, code []byte) string {
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

// ReadBeyondEnd is a program that maps an empty file and reads from it.
func ReadBeyondEnd() []byte {
	return slices.Concat(
		[]byte{0xb8, 0x3f, 1, 0, 0, 0x48, 0x89, 0xe7, 0x31, 0xf6, 0x0f, 0x05},                         // memfd_create(rsp, 0)
		[]byte{0x41, 0x89, 0xc0, 0xb8, 9, 0, 0, 0, 0x31, 0xff, 0xbe, 0, 0x10, 0, 0, 0xba, 1, 0, 0, 0}, // mmap(0, 4096, PROT_READ,
		[]byte{0x41, 0xba, 1, 0, 0, 0, 0x45, 0x31, 0xc9, 0x0f, 0x05},                                  //      MAP_SHARED, file, 0)
		[]byte{0x8b, 0x00}, // mov eax, [rax]
	)
}
