package imagetest

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// busyboxPath is where Debian's package busybox-static puts it.
const busyboxPath = "/bin/busybox"

// Busybox is a layer that is a small system: a static busybox with its applets,
// users root, nobody (65534) and app (1000), and the usual directories. It
// needs Debian's package busybox-static.
func Busybox() (Layer, error) {
	binary, err := os.ReadFile(busyboxPath)
	if errors.Is(err, os.ErrNotExist) {
		return Layer{}, fmt.Errorf("%s is not there: install busybox-static", busyboxPath)
	}
	if err != nil {
		return Layer{}, err
	}
	list, err := exec.Command(busyboxPath, "--list-full").Output()
	if err != nil {
		return Layer{}, fmt.Errorf("list busybox applets: %w", err)
	}
	entries := []Entry{
		Dir("./", 0o755), Dir("bin/", 0o755), Dir("sbin/", 0o755), Dir("usr/", 0o755), Dir("usr/bin/", 0o755),
		Dir("usr/sbin/", 0o755), Dir("etc/", 0o755), Dir("root/", 0o700), Dir("tmp/", 0o1777), Dir("var/", 0o755),
		Dir("var/log/", 0o755), Dir("dev/", 0o755), Dir("proc/", 0o555), Dir("sys/", 0o555), Dir("home/", 0o755),
		owned(Dir("home/app/", 0o755), 1000),
		File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n", 0o644),
		File("etc/group", "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n", 0o644),
		File("bin/busybox", string(binary), 0o755),
	}
	for applet := range strings.FieldsSeq(string(list)) {
		if applet != "bin/busybox" && applet != "linuxrc" {
			entries = append(entries, Entry{Header: tar.Header{
				Typeflag: tar.TypeSymlink, Name: applet, Linkname: "/bin/busybox", Mode: 0o777,
			}})
		}
	}
	return Layer{Entries: entries}, nil
}

func owned(e Entry, id int) Entry {
	e.Uid, e.Gid = id, id
	return e
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
