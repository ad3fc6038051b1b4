package server

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// call is one system call as a filter sees it.
type call struct {
	number, arch uint32
	args         [6]uint64
}

// judge runs a compiled filter on c, as the kernel does: the instructions that
// libseccomp produces, and no others.
func judge(t *testing.T, program []byte, c call) uint32 {
	t.Helper()
	data := make([]byte, 64)
	binary.LittleEndian.PutUint32(data[0:], c.number)
	binary.LittleEndian.PutUint32(data[4:], c.arch)
	for i, a := range c.args {
		binary.LittleEndian.PutUint64(data[16+8*i:], a)
	}
	var acc uint32
	for pc := 0; pc*8 < len(program); pc++ {
		code := binary.LittleEndian.Uint16(program[pc*8:])
		jt, jf := int(program[pc*8+2]), int(program[pc*8+3])
		k := binary.LittleEndian.Uint32(program[pc*8+4:])
		jump := func(taken bool) {
			if taken {
				pc += jt
			} else {
				pc += jf
			}
		}
		switch code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = binary.LittleEndian.Uint32(data[k:])
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(k)
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			jump(acc == k)
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			jump(acc > k)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			jump(acc >= k)
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			acc &= k
		case unix.BPF_RET | unix.BPF_K:
			return k
		default:
			t.Fatalf("instruction %d: code %#x", pc, code)
		}
	}
	t.Fatal("filter ends without an answer")
	return 0
}

const (
	allow     = 0x7fff_0000
	noPerm    = returnErrno | uint32(unix.EPERM)
	noCall    = returnErrno | uint32(unix.ENOSYS)
	killThem  = 0x8000_0000
	killOne   = 0
	arch64    = unix.AUDIT_ARCH_X86_64
	arch32    = unix.AUDIT_ARCH_I386
	x32       = 0x4000_0000
	arm64     = unix.AUDIT_ARCH_AARCH64
	cloneUser = unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)
)

// contract: LIM-3 LIM-11 ATK-30
func TestFilterJudgesAsDockersProfile(t *testing.T) {
	t.Parallel()
	profile, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{
		Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_CHOWN", "CAP_SETUID"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := compileFilter(profile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.file.Close()
	program := make([]byte, 1<<20)
	n, err := f.file.ReadAt(program, 0)
	if err != io.EOF {
		t.Fatal(err)
	}
	program = program[:n]
	if len(program)/8 > 4096 {
		t.Errorf("%d instructions are more than the kernel takes", len(program)/8)
	}
	for name, c := range map[string]struct {
		call call
		want uint32
	}{
		"read":                  {call{number: unix.SYS_READ, arch: arch64}, allow},
		"execve":                {call{number: unix.SYS_EXECVE, arch: arch64}, allow},
		"read on i386":          {call{number: 3, arch: arch32}, allow},
		"read on x32":           {call{number: x32 | unix.SYS_READ, arch: arch64}, allow},
		"mount":                 {call{number: unix.SYS_MOUNT, arch: arch64}, noPerm},
		"bpf":                   {call{number: unix.SYS_BPF, arch: arch64}, noPerm},
		"kexec_load":            {call{number: unix.SYS_KEXEC_LOAD, arch: arch64}, noPerm},
		"init_module on i386":   {call{number: 128, arch: arch32}, noPerm},
		"unshare":               {call{number: unix.SYS_UNSHARE, arch: arch64}, noPerm},
		"clone":                 {call{number: unix.SYS_CLONE, arch: arch64, args: [6]uint64{uint64(unix.SIGCHLD)}}, allow},
		"clone with namespaces": {call{number: unix.SYS_CLONE, arch: arch64, args: [6]uint64{cloneUser}}, noPerm},
		"clone3":                {call{number: unix.SYS_CLONE3, arch: arch64}, noCall},
		"a call of the future":  {call{number: 900, arch: arch64}, noCall},
		"the last native one":   {call{number: x32 - 1, arch: arch64}, noCall},
		"personality default":   {call{number: unix.SYS_PERSONALITY, arch: arch64}, allow},
		"personality other":     {call{number: unix.SYS_PERSONALITY, arch: arch64, args: [6]uint64{0x123}}, noPerm},
	} {
		if got := judge(t, program, c.call); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
	if got := judge(t, program, call{number: 63, arch: arm64}); got != killThem && got != killOne {
		t.Errorf("another machine's call: %#x", got)
	}
}

func TestFilterRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*specs.LinuxSeccomp{
		"action":       {DefaultAction: "SCMP_ACT_WHATEVER"},
		"architecture": {DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchMIPS}},
		"comparison": {DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
			Names: []string{"read"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Op: "SCMP_CMP_ODD"}},
		}}},
	} {
		if f, err := compileFilter(p); err == nil {
			t.Errorf("%s: compiled", name)
			_ = f.file.Close()
		}
	}
}
