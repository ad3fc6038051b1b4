package doctor

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"runnel/contract"
	"runnel/internal/testenv"
)

// Privileged tests run here, on what this host really offers: the house needs
// each of these things for its other tests anyway.
func TestExamineTriesTheRealThingAndLeavesNothing(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	findings := Examine(context.Background(), Config{StateDir: t.TempDir(), Shim: "/bin/busybox"})
	for _, name := range []string{"kernel", "root", "capabilities", "namespaces", "cgroups", "overlay on tmpfs", "seccomp", "bridge and veth", "nftables", "forwarding", "runnel-shim"} {
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.Name == name })
		if i < 0 {
			t.Errorf("%s was not looked at", name)
			continue
		}
		if f := findings[i]; f.Status == Missing {
			t.Errorf("%s: %s: %s", f.Name, f.Status, f.Detail)
		}
	}
	for _, f := range findings {
		if f.Status != OK && f.Advice == "" {
			t.Errorf("%s: %s without advice: %s", f.Name, f.Status, f.Detail)
		}
	}
}

// The kernel refuses what it does not know, and that is what a host without
// the feature answers.
func TestTrialsReportTheKernelsRefusal(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	err := inNamespaces(unix.CLONE_NEWNET, func() error { return addLink("rnldoctor-no", "nosuchkind") })
	if !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("a link of no kind: %v, want EOPNOTSUPP", err)
	}
	err = inNamespaces(unix.CLONE_NEWNET, func() error {
		var m message
		m.payload = make([]byte, 4)
		return m.ask(unix.NETLINK_NETFILTER, 0xff<<8, 0)
	})
	if err == nil {
		t.Error("a netfilter subsystem that does not exist answers")
	}
}

func TestExamineEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if findings := Examine(ctx, Config{}); len(findings) != 0 {
		t.Errorf("%d findings", len(findings))
	}
}

func TestJudgements(t *testing.T) {
	t.Parallel()
	all := ^uint64(0)
	for _, c := range []struct {
		what string
		got  Finding
		want Status
		says string
	}{
		{"old kernel", judgeKernel("4.19.0-amd64"), Missing, "openat2"},
		{"kernel without cgroup.kill", judgeKernel("5.10.0-28-amd64"), Degraded, "cgroup"},
		{"kernel that just does", judgeKernel("5.14.0"), OK, "5.14.0"},
		{"new kernel", judgeKernel("6.18.44-fc"), OK, "6.18"},
		{"odd kernel", judgeKernel("mine"), Degraded, "mine"},
		{"all capabilities", judgeCapabilities(all), OK, ""},
		{"no capabilities", judgeCapabilities(0), Missing, "SYS_ADMIN"},
		{"no net admin", judgeCapabilities(all &^ (1 << unix.CAP_NET_ADMIN)), Missing, "no NET_ADMIN"},
		{"no sys resource", judgeCapabilities(all &^ (1 << unix.CAP_SYS_RESOURCE)), Degraded, "SYS_RESOURCE"},
		// contract: LIM-1
		{"files as promised", judgeOpenFiles(25_000, false), OK, "25000"},
		{"too few files", judgeOpenFiles(20_000, false), Degraded, "20000, not 25000"},
		{"too few files, but may raise", judgeOpenFiles(20_000, true), OK, "25000"},
		{"clock", judgeClock(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), true), OK, "2026-11-21"},
		{"clock of its own", judgeClock(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), false), OK, "not synchronized"},
		{"clock without battery", judgeClock(time.Unix(0, 0), true), Degraded, "1970"},
		{"no firewall", judgeForwarding(nil, nil), OK, "nothing drops"},
		{"a firewall", judgeForwarding([]string{"ip filter FORWARD", "inet mine fwd"}, nil), Degraded, "in ip filter FORWARD, inet mine fwd"},
		{"a firewall nobody can read", judgeForwarding(nil, unix.EPERM), Degraded, "not permitted"},
		{"a firewall only root can read", judgeForwarding(nil, errNeedsRoot), Missing, "needs root"},
		{"no resolver", judgeResolver("# nothing\noptions edns0\n"), Degraded, "no server"},
		{"resolvers", judgeResolver("nameserver 10.0.0.1\nnameserver ::1\n"), OK, "10.0.0.1, ::1"},
		{"space", judgeDisk("/x", 10*contract.GiB, false), OK, "10.0 GiB free in /x"},
		{"little space", judgeDisk("/x", contract.GiB, false), Degraded, "1.0 GiB"},
		{"no space", judgeDisk("/x", contract.MiB, false), Missing, "0.0 GiB"},
		{"no inodes", judgeDisk("/x", 10*contract.GiB, true), Degraded, "inode"},
		{"no shim", shim("", errors.New("cannot find it")), Missing, "cannot find it"},
		{"a shim that is none", shim("/etc/passwd", nil), Missing, "/etc/passwd"},
		{"a shim that needs libraries", shim(dynamicProgram(t), nil), Missing, "dynamically"},
	} {
		if c.got.Status != c.want || !strings.Contains(c.got.Detail, c.says) {
			t.Errorf("%s: %s, %q, want %s and %q", c.what, c.got.Status, c.got.Detail, c.want, c.says)
		}
	}
}

// dynamicProgram writes the head of a program that asks for an interpreter, and
// returns its path.
func dynamicProgram(t *testing.T) string {
	t.Helper()
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	program, err := binary.Append(nil, binary.LittleEndian, head)
	if err == nil {
		program, err = binary.Append(program, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_INTERP)})
	}
	path := filepath.Join(t.TempDir(), "dynamic")
	if err := errors.Join(err, os.WriteFile(path, program, 0o700)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHealthyUnlessSomethingIsMissing(t *testing.T) {
	t.Parallel()
	if !Healthy([]Finding{ok("a", ""), degraded("b", "", "")}) {
		t.Error("degraded is no reason to fail")
	}
	if Healthy([]Finding{ok("a", ""), missing("b", "", "")}) {
		t.Error("missing is one")
	}
}

func TestDiskLooksAtTheNearestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got := nearestDir(filepath.Join(dir, "a", "b")); got != dir {
		t.Errorf("got %s, want %s", got, dir)
	}
}
