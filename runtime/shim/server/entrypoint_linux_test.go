package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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
		r.User = user
		if e, out := k.run(r); !strings.Contains(out, want) || e.Code != 0 {
			t.Errorf("user %q: want %s, got %+v\n%s", user, want, e, out)
		}
	}
	for _, user := range []string{"-1", "4294967296", "99999999999999999999", "root:nosuch", "0:-1"} {
		r := k.request("user", "id")
		r.User = user
		if err := k.Create(context.Background(), r, nil); !errors.Is(err, shim.ErrUnstartable) {
			t.Errorf("user %q: %v, want ErrUnstartable", user, err)
		}
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
		r.Spec.Process.Cwd = c.cwd
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
