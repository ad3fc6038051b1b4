package server_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"runnel/runtime/shim"
)

// contract: LIM-5 ENV-11
func TestContainerRunsAsItsUser(t *testing.T) {
	k := newKeeper(t)
	for user, want := range map[string]string{
		"": "uid=0", "app": "uid=1000", "1234:99": "uid=1234 gid=99", "nosuch": "uid=0", "nosuch:nogroup": "uid=0",
	} {
		r := k.request("user", "id")
		r.Containers[0].User = user
		if e, out := k.run(r); !strings.Contains(out, want) || e.Code != 0 {
			t.Errorf("user %q: want %s, got %+v\n%s", user, want, e, out)
		}
	}
	for _, user := range []string{"-1", "4294967296", "99999999999999999999", "root:nosuch", "0:-1", "app:3000000000", "broken"} {
		r := k.request("user", "id")
		r.Containers[0].User = user
		if err := k.Create(context.Background(), r, nil); !errors.Is(err, shim.ErrUnstartable) {
			t.Errorf("user %q: %v, want ErrUnstartable", user, err)
		}
	}
}

// contract: ATK-31
// A name is unknown only if all of the accounts have been read.
func TestUnreadableAccountsDoNotMeanRoot(t *testing.T) {
	k := newKeeper(t)
	passwd := filepath.Join(k.layer, "etc/passwd")
	for name, make := range map[string]func() error{
		"directory": func() error { return os.Mkdir(passwd, 0o755) },
		"fifo":      func() error { return syscall.Mkfifo(passwd, 0o644) },
		"loop":      func() error { return os.Symlink("passwd", passwd) },
		"too large": func() error { return errors.Join(os.WriteFile(passwd, nil, 0o644), os.Truncate(passwd, 1<<30)) },
	} {
		if err := errors.Join(os.RemoveAll(passwd), make()); err != nil {
			t.Fatal(err)
		}
		r := k.request("user", "id")
		r.Containers[0].User = "app"
		if err := k.Create(context.Background(), r, nil); !errors.Is(err, shim.ErrUnstartable) {
			t.Errorf("%s: %v, want ErrUnstartable", name, err)
		}
	}
}

// An entrypoint is read by the process that keeps every container: what it says
// of itself must not make that process do anything large.
func TestEntrypointThatLiesAboutItself(t *testing.T) {
	k := newKeeper(t)
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Phoff: 64, Phentsize: 56, Phnum: 65535,
		Shoff: 1 << 62, Shentsize: 64, Shnum: 65535, Shstrndx: 1, Ehsize: 64,
	}
	interp := elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 0, Filesz: 1 << 62}
	var program bytes.Buffer
	for _, part := range []any{header, interp, make([]byte, 4096)} {
		if err := binary.Write(&program, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{4, 16, 63, 64, 100, program.Len()} {
		if err := os.WriteFile(filepath.Join(k.layer, "liar"), program.Bytes()[:n], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := k.Create(context.Background(), k.request("liar", "/liar"), nil); err == nil {
			if err := k.Delete(context.Background(), "liar"); err != nil {
				t.Fatal(err)
			}
			k.exit() // of the container that was killed before it started
		}
	}
	if e, out := k.run(k.request("well", "echo", "still here")); e.Code != 0 || !strings.Contains(out, "still here") {
		t.Errorf("afterwards: %+v\n%s", e, out)
	}
}

func TestUnstartableSaysWhy(t *testing.T) {
	k := newKeeper(t)
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(k.layer, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	arm := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xb7\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 28) + "\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00"
	write("plain", "echo", 0o644)
	write("noshell", "#!/no/such/shell\n", 0o755)
	write("empty", "", 0o755)
	write("arm", arm, 0o755)
	for name, c := range map[string]struct {
		args []string
		cwd  string
		want string
	}{
		"missing file":     {[]string{"/nope"}, "/", `entrypoint "/nope" does not exist`},
		"missing in PATH":  {[]string{"nope"}, "/", `entrypoint "nope" was not found in the image's PATH (/bin)`},
		"not executable":   {[]string{"/plain"}, "/", "not executable (mode 0644)"},
		"directory":        {[]string{"/etc"}, "/", "is a directory"},
		"interpreter":      {[]string{"/noshell"}, "/", "needs the interpreter /no/such/shell"},
		"empty":            {[]string{"/empty"}, "/", "empty file"},
		"other machine":    {[]string{"/arm"}, "/", "EM_AARCH64"},
		"escape":           {[]string{"../../../../bin/busybox-of-host"}, "/bin", "does not exist"},
		"workdir is file":  {[]string{"true"}, "/etc/passwd", "not a directory"},
		"workdir by magic": {[]string{"true"}, "/proc/self/fd/5", ""},
	} {
		r := k.request("bad", c.args...)
		r.Containers[0].Spec.Process.Cwd = c.cwd
		err := k.Create(context.Background(), r, nil)
		if !errors.Is(err, shim.ErrUnstartable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = k.Delete(context.Background(), "bad")
		}
	}
	if l, err := k.List(context.Background()); err != nil || len(l) != 0 {
		t.Errorf("after failures the shim has %v, %v", l, err)
	}
}
