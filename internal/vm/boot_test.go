package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/internal/vm/wire"
)

// emulator is what stands in for QEMU: it says what there is for each boot, and
// then freezes, unless it was the last.
const emulator = `#!/bin/sh
n=$(cat %DIR%/boots 2>/dev/null || echo 0)
echo $((n + 1)) >%DIR%/boots
echo "$@" >>%DIR%/args
cat %DIR%/said.$n
[ -e %DIR%/said.$((n + 1)) ] && exec sleep 600
exit 0
`

// fakeEmulator has boot start a program that says what is in said, one text a
// boot, and freezes after all but the last.
func fakeEmulator(t *testing.T, said ...[]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for i, lines := range said {
		write("said."+string(rune('0'+i)), strings.Join(lines, "\n")+"\n", 0o600)
	}
	write("qemu-system-x86_64", strings.ReplaceAll(emulator, "%DIR%", dir), 0o700)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func bootFake(t *testing.T, dir string, packages ...testPackage) error {
	t.Helper()
	c := config{cache: dir, work: dir, accel: []string{"tcg"}, limit: time.Minute, silence: 2 * time.Second}
	return bootAndReport(t.Context(), c, machine{console: filepath.Join(dir, "console.log")}, packages)
}

func TestMachineThatFreezesIsBootedForWhatIsLeft(t *testing.T) {
	hello, done := wire.Mark{Kind: wire.Hello}.String(), wire.Mark{Kind: wire.Done}.String()
	beginB, endB := wire.Mark{Kind: wire.Begin, Text: "runnel/b"}.String(), wire.Mark{Kind: wire.End, Text: "runnel/b"}.String()
	pass := "--- PASS: TestX (0.00s)"
	dir := fakeEmulator(t,
		[]string{hello, begin, pass, endGood, beginB, "=== RUN   TestX"},
		[]string{hello, beginB, pass, endB, done})
	if err := bootFake(t, dir, testPackage{path: "runnel/a"}, testPackage{path: "runnel/b"}); err != nil {
		t.Fatal(err)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil {
		t.Fatal(err)
	}
	boots := strings.Split(strings.TrimSpace(string(args)), "\n")
	for i, skip := range []string{"0", "1"} {
		if len(boots) != 2 || !strings.HasSuffix(boots[i], wire.SkipArg+skip) {
			t.Errorf("boot %d, skipping %s: %q", i, skip, boots)
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "failed", "*", "tests.log")); len(kept) != 1 {
		t.Errorf("logs of frozen machines kept: %q", kept)
	}
}

func TestMachineThatFreezesForEverIsGivenUp(t *testing.T) {
	hello := wire.Mark{Kind: wire.Hello}.String()
	dir := fakeEmulator(t, []string{hello, begin}, []string{hello, begin}, []string{hello, begin}, []string{hello, begin})
	err := bootFake(t, dir, testPackage{path: "runnel/a"})
	if err == nil || !strings.Contains(err.Error(), "during runnel/a: the guest is silent") {
		t.Errorf("got %v", err)
	}
	if boots, _ := os.ReadFile(filepath.Join(dir, "boots")); strings.TrimSpace(string(boots)) != "3" {
		t.Errorf("%s boots", boots)
	}
}
