package server

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// maxProgramHeaders bounds how many program headers of an entrypoint are looked
// at; real programs have about a dozen.
const maxProgramHeaders = 64

// checkELF refuses a program that is not for x86-64, or i386, or that lacks its
// interpreter. head is the beginning of the file. What only looks like ELF is
// left to the kernel.
//
// It reads two fixed structures and nothing that they point to but a path: the
// file is the image's, and debug/elf's reader trusts what it reads.
func checkELF(r *root, f io.ReaderAt, head []byte, name string) error {
	var machine elf.Machine
	var interp string
	switch {
	case len(head) < binary.Size(elf.Header32{}) || elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB:
		return nil
	case elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64:
		machine, interp = readELF[elf.Header64, elf.Prog64](f, head)
	case elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS32:
		machine, interp = readELF[elf.Header32, elf.Prog32](f, head)
	default:
		return nil
	}
	if machine != elf.EM_X86_64 && machine != elf.EM_386 {
		return shim.Unstartable(fmt.Sprintf("entrypoint %q is a program for %s: this host runs linux/amd64", name, machine))
	}
	if interp == "" {
		return nil
	}
	return checkInterpreter(r, name, interp)
}

// readELF returns the machine of a program, and its interpreter if it names
// one, for either width of the format.
func readELF[H elf.Header64 | elf.Header32, P elf.Prog64 | elf.Prog32](f io.ReaderAt, head []byte) (elf.Machine, string) {
	var header H
	if binary.Read(bytes.NewReader(head), binary.LittleEndian, &header) != nil {
		return elf.EM_X86_64, "" // cut short: the kernel says what it thinks of it
	}
	machine, offset, count := headerFields(header)
	table := make([]P, min(count, maxProgramHeaders))
	if binary.Read(io.NewSectionReader(f, offset, int64(binary.Size(table))), binary.LittleEndian, table) != nil {
		return machine, ""
	}
	for _, p := range table {
		kind, offset, size := progFields(p)
		if kind != elf.PT_INTERP || size > unix.PathMax {
			continue
		}
		path := make([]byte, size)
		if _, err := f.ReadAt(path, offset); err != nil {
			return machine, ""
		}
		return machine, string(bytes.TrimRight(path, "\x00"))
	}
	return machine, ""
}

func headerFields(h any) (machine elf.Machine, offset int64, count int) {
	switch h := h.(type) {
	case elf.Header64:
		return elf.Machine(h.Machine), int64(h.Phoff), int(h.Phnum)
	case elf.Header32:
		return elf.Machine(h.Machine), int64(h.Phoff), int(h.Phnum)
	}
	return 0, 0, 0
}

func progFields(p any) (kind elf.ProgType, offset int64, size uint64) {
	switch p := p.(type) {
	case elf.Prog64:
		return elf.ProgType(p.Type), int64(p.Off), p.Filesz
	case elf.Prog32:
		return elf.ProgType(p.Type), int64(p.Off), uint64(p.Filesz)
	}
	return 0, 0, 0
}
