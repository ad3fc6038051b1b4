package server

import (
	"encoding/binary"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// filter is a system-call filter, compiled once and loaded by every container
// that asks for the same profile. Compiling takes libseccomp longer than all
// the rest of a container's start.
//
// The file is a sealed memory file that holds the kernel's instructions.
type filter struct{ file *os.File }

// compileFilter translates a profile of the OCI specification.
func compileFilter(profile *specs.LinuxSeccomp) (_ *filter, err error) {
	fd, err := unix.MemfdCreate("seccomp", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make filter file: %w", err)
	}
	f := os.NewFile(uintptr(fd), "seccomp")
	defer func() {
		if err != nil {
			_ = f.Close() // err says more
		}
	}()
	if err := compile(profile, f); err != nil {
		return nil, fmt.Errorf("compile system-call filter: %w", err)
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		return nil, fmt.Errorf("seal filter file: %w", err)
	}
	return &filter{f}, nil
}

// compile writes the kernel's instructions for profile to out.
func compile(profile *specs.LinuxSeccomp, out *os.File) error {
	fallback, err := action(profile.DefaultAction, profile.DefaultErrnoRet)
	if err != nil {
		return err
	}
	f, err := libseccomp.NewFilter(fallback)
	if err != nil {
		return err
	}
	defer f.Release()
	for _, arch := range profile.Architectures {
		if err := addArch(f, arch); err != nil {
			return err
		}
	}
	// A binary tree over the numbers instead of a list: every call a container
	// makes passes through it.
	if err := f.SetOptimize(2); err != nil {
		return err
	}
	highest := libseccomp.ScmpSyscall(0)
	for _, group := range profile.Syscalls {
		last, err := addGroup(f, group, fallback)
		if err != nil {
			return err
		}
		highest = max(highest, last)
	}
	if fallback != libseccomp.ActAllow {
		if _, err := out.Write(unknownCalls(uint32(highest))); err != nil {
			return err
		}
	}
	return f.ExportBPF(out)
}

// addArch adds one of the architectures an x86-64 kernel executes.
func addArch(f *libseccomp.ScmpFilter, arch specs.Arch) error {
	known := map[specs.Arch]libseccomp.ScmpArch{
		specs.ArchX86_64: libseccomp.ArchAMD64,
		specs.ArchX86:    libseccomp.ArchX86,
		specs.ArchX32:    libseccomp.ArchX32,
	}
	a, ok := known[arch]
	if !ok {
		return fmt.Errorf("architecture %s is not known", arch)
	}
	return f.AddArch(a)
}

// addGroup adds the rules of one entry of a profile, and returns the highest
// number among its calls.
func addGroup(f *libseccomp.ScmpFilter, group specs.LinuxSyscall, fallback libseccomp.ScmpAction) (highest libseccomp.ScmpSyscall, err error) {
	act, err := action(group.Action, group.ErrnoRet)
	if err != nil {
		return 0, err
	}
	alternatives, err := conditions(group.Args)
	if err != nil {
		return 0, err
	}
	for _, name := range group.Names {
		call, err := libseccomp.GetSyscallFromName(name)
		if err != nil {
			continue // newer than the library, or of another architecture
		}
		highest = max(highest, call)
		if act == fallback {
			continue
		}
		for _, c := range alternatives {
			if err := f.AddRuleConditional(call, act, c); err != nil {
				return 0, fmt.Errorf("rule for %s: %w", name, err)
			}
		}
	}
	return highest, nil
}

// conditions turns the arguments of an entry into rules of which any may
// match. The kernel can test an argument once in a rule, so an entry that names
// one twice means either.
func conditions(args []specs.LinuxSeccompArg) ([][]libseccomp.ScmpCondition, error) {
	seen := map[uint]bool{}
	repeated := false
	var all []libseccomp.ScmpCondition
	for _, a := range args {
		c, err := condition(a)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		repeated = repeated || seen[a.Index]
		seen[a.Index] = true
	}
	if !repeated {
		return [][]libseccomp.ScmpCondition{all}, nil
	}
	var out [][]libseccomp.ScmpCondition
	for _, c := range all {
		out = append(out, []libseccomp.ScmpCondition{c})
	}
	return out, nil
}

func condition(a specs.LinuxSeccompArg) (libseccomp.ScmpCondition, error) {
	known := map[specs.LinuxSeccompOperator]libseccomp.ScmpCompareOp{
		specs.OpNotEqual:     libseccomp.CompareNotEqual,
		specs.OpLessThan:     libseccomp.CompareLess,
		specs.OpLessEqual:    libseccomp.CompareLessOrEqual,
		specs.OpEqualTo:      libseccomp.CompareEqual,
		specs.OpGreaterEqual: libseccomp.CompareGreaterEqual,
		specs.OpGreaterThan:  libseccomp.CompareGreater,
		specs.OpMaskedEqual:  libseccomp.CompareMaskedEqual,
	}
	op, ok := known[a.Op]
	if !ok {
		return libseccomp.ScmpCondition{}, fmt.Errorf("comparison %s is not known", a.Op)
	}
	if op == libseccomp.CompareMaskedEqual {
		return libseccomp.MakeCondition(a.Index, op, a.Value, a.ValueTwo)
	}
	return libseccomp.MakeCondition(a.Index, op, a.Value)
}

// action translates what is to happen to a call.
func action(a specs.LinuxSeccompAction, errno *uint) (libseccomp.ScmpAction, error) {
	switch a {
	case specs.ActAllow:
		return libseccomp.ActAllow, nil
	case specs.ActErrno:
		code := int16(unix.EPERM)
		if errno != nil {
			code = int16(*errno)
		}
		return libseccomp.ActErrno.SetReturnCode(code), nil
	case specs.ActKill, specs.ActKillProcess:
		return libseccomp.ActKillProcess, nil
	}
	return 0, fmt.Errorf("action %s is not known", a)
}

// Offsets in the data that a filter sees, and the first number of the x32
// calls, from the kernel's seccomp and unistd headers.
const (
	offsetNumber = 0
	offsetArch   = 4
	firstX32     = 0x4000_0000
)

// unknownCalls begins a filter that denies by default: a native call with a number above highest,
// which the profile's authors cannot have known, gets ENOSYS. A C library takes
// that as "not on this kernel" and uses an older call, where EPERM would be an
// error.
func unknownCalls(highest uint32) []byte {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		reach  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		beyond = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
		give   = unix.BPF_RET | unix.BPF_K
	)
	program := []unix.SockFilter{
		{Code: load, K: offsetArch},
		{Code: equal, K: unix.AUDIT_ARCH_X86_64, Jt: 0, Jf: 4},
		{Code: load, K: offsetNumber},
		{Code: reach, K: firstX32, Jt: 2, Jf: 0},
		{Code: beyond, K: highest, Jt: 0, Jf: 1},
		{Code: give, K: uint32(returnErrno) | uint32(unix.ENOSYS)},
	}
	var out []byte
	for _, i := range program {
		out = binary.NativeEndian.AppendUint16(out, i.Code)
		out = append(out, i.Jt, i.Jf)
		out = binary.NativeEndian.AppendUint32(out, i.K)
	}
	return out
}

// returnErrno is SECCOMP_RET_ERRNO of the kernel's seccomp header; the low
// sixteen bits carry the error number.
const returnErrno = 0x0005_0000
