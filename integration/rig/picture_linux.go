package rig

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// picture is what no container may change: settings of the kernel, and files of
// the host that hostile images aim at.
type picture map[string]string

// watched are settings that say where the kernel takes a program from, or what
// everybody on the host depends on.
var watched = []string{
	"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
	"/proc/sys/kernel/poweroff_cmd", "/proc/sys/kernel/hostname", "/proc/sys/kernel/panic",
	"/proc/sys/kernel/sysrq", "/proc/sys/kernel/pid_max", "/proc/sys/kernel/randomize_va_space",
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/vm/swappiness",
	"/proc/sys/fs/suid_dumpable", "/proc/sys/fs/protected_symlinks", "/proc/sys/fs/protected_hardlinks",
	"/proc/self/oom_score_adj", "/sys/kernel/uevent_helper",
}

// trees are directories whose names, modes and sizes are compared, of /etc also
// the contents.
var trees = []string{"/etc", "/dev", "/root"}

func takePicture(t testing.TB) picture {
	t.Helper()
	p := picture{}
	for _, path := range watched {
		if text, err := os.ReadFile(path); err == nil {
			p[path] = string(text)
		}
	}
	for _, tree := range trees {
		err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // gone since: others work on this host, too
			}
			// Devices and terminals come and go with whoever logs in.
			if d.IsDir() && (path == "/dev/pts" || path == "/dev/shm" || tree == "/root" && path != tree) {
				return fs.SkipDir
			}
			if info, err := d.Info(); err == nil {
				p[path] = fmt.Sprint(info.Mode(), info.Size()*int64(btoi(info.Mode().IsRegular())))
				if tree == "/etc" && info.Mode().IsRegular() && info.Size() < 1<<16 {
					text, _ := os.ReadFile(path) // its absence will differ
					p[path] += string(text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare fails the test for everything that differs now.
func (p picture) compare(t testing.TB) {
	t.Helper()
	now := takePicture(t)
	for path, was := range p {
		if now[path] != was {
			t.Errorf("%s was %q and is %q", path, Clip(was), Clip(now[path]))
		}
	}
	for path := range now {
		if _, ok := p[path]; !ok {
			t.Errorf("%s is new", path)
		}
	}
}

// Clip shortens what goes into a message.
func Clip(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return s[:most/2] + " … " + s[len(s)-most/2:]
}
