package integration

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// linkImage is busybox with one of its directories or files replaced by a link.
func linkImage(t testing.TB, path, target string) imagetest.Build {
	t.Helper()
	base := imagetest.MustBusybox(t)
	name := strings.TrimPrefix(path, "/")
	var kept []imagetest.Entry
	for _, e := range base.Entries {
		if strings.Trim(e.Name, "/") != name && !strings.HasPrefix(e.Name, name+"/") {
			kept = append(kept, e)
		}
	}
	return imagetest.Build{
		Layers: []imagetest.Layer{{Entries: kept}, {Entries: []imagetest.Entry{
			imagetest.Dir(filepath.Dir(name)+"/", 0o755), imagetest.Symlink(name, target),
		}}},
		Config: rig.ShellConfig(),
	}
}

// contract: ATK-3, ATK-4, ATK-6
// An image whose directories are links to places of the host gets them resolved
// in its own root, or is refused; the host is looked at by openHost.
func TestLinksInPlaceOfDirectories(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	// What a link that is followed on the host would reach.
	target := t.TempDir()
	for _, name := range []string{"null", "hosts", "resolv.conf", "hostname", "shm", "pts", "log"} {
		if err := os.WriteFile(filepath.Join(target, name), []byte("of the host"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, target string }{
		{"/dev", target}, {"/proc", target}, {"/sys", target}, {"/etc", target}, {"/tmp", target}, {"/var/log", target},
		{"/dev", "../../../../../.." + target}, {"/proc", "../../../.." + target},
		{"/dev", "/proc/1/root/dev"}, {"/etc", "/proc/self/cwd/etc"}, {"/tmp", "/proc/1/cwd"},
		{"/dev", "/etc"}, {"/proc", "/"}, {"/sys", "/dev"}, {"/etc", "/etc"}, {"/dev", "dev"},
		{"/etc/resolv.conf", target + "/resolv.conf"}, {"/etc/hosts", target + "/hosts"}, {"/etc/hostname", "../.." + target + "/hostname"},
		{"/etc/resolv.conf", "/proc/sys/kernel/core_pattern"}, {"/etc/hosts", "/etc/hosts"}, {"/etc/hostname", "/proc/self/exe"},
		{"/dev/null", "/proc/sys/kernel/core_pattern"}, {"/dev/console", "/proc/sys/kernel/core_pattern"}, {"/dev/pts", "/proc/sys/kernel"},
		{"/dev/shm", target}, {"/dev/log", target + "/log"}, {"/dev/ptmx", "/proc/sysrq-trigger"}, {"/dev/fd", "/etc"},
	} {
		r := h.Run("--image", h.Build(linkImage(t, c.path, c.target)), "--max-retries", "0", "--args",
			`echo started >&2; echo x >/dev/null; echo x >>/etc/hosts; echo x >>/etc/resolv.conf; echo x >>/etc/hostname; echo x >/tmp/x; echo x >/dev/shm/x; echo x >/var/log/x; exit 0`)
		switch {
		case r.Code == 0 && strings.Contains(r.Stdout, "stderr started"): // resolved inside
		case r.Code == 1 && strings.Contains(r.Stderr, "The execution failed") && !strings.Contains(r.Stdout, "stderr started"): // refused
			t.Logf("%s -> %s is refused: %s", c.path, c.target, strings.Split(r.Stdout, "\n")[0])
		default:
			t.Errorf("%s -> %s: exit %d\n%s", c.path, c.target, r.Code, r)
		}
	}
	entries, err := os.ReadDir(target)
	if err != nil || len(entries) != 7 {
		t.Errorf("the host's directory holds %v, %v", entries, err)
	}
	for _, e := range entries {
		if text, _ := os.ReadFile(filepath.Join(target, e.Name())); string(text) != "of the host" {
			t.Errorf("the host's %s is %q", e.Name(), text)
		}
	}
}

// contract: ATK-9, ATK-10
// Layers that write through links: what they aim at stays as it is, and the
// files land in the image or nowhere.
func TestLayersThatWriteThroughLinks(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	busybox := imagetest.MustBusybox(t)
	up := strings.Repeat("../", 30)
	for name, entries := range map[string][]imagetest.Entry{
		"absolute link":    {imagetest.Symlink("out", outside), imagetest.File("out/victim", "evil", 0o644), imagetest.File("out/new", "evil", 0o644)},
		"relative link":    {imagetest.Symlink("out", up+outside[1:]), imagetest.File("out/victim", "evil", 0o644), imagetest.File("out/new", "evil", 0o644)},
		"link of the file": {imagetest.Symlink("v", victim), imagetest.File("v", "evil", 0o644)},
		"hard link":        {imagetest.Symlink("out", outside), imagetest.Link("h", "out/victim"), imagetest.File("h", "evil", 0o644)},
		"whiteout":         {imagetest.Symlink("out", outside), imagetest.File("out/.wh.victim", "", 0o644)},
		"opaque":           {imagetest.Symlink("out", outside), imagetest.File("out/.wh..wh..opq", "", 0o644)},
		"whiteout of ..":   {imagetest.Dir("d/", 0o755), imagetest.File("d/.wh...", "", 0o644)},
		"link of the root": {imagetest.Symlink("./", outside), imagetest.File("victim", "evil", 0o644)},
		"absolute name":    {imagetest.File(victim, "evil", 0o644)},
		"names of overlay": {{Header: tar.Header{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o755,
			PAXRecords: map[string]string{"SCHILY.xattr.trusted.overlay.redirect": "/../../.."}}}},
	} {
		image := h.Build(imagetest.Build{Layers: []imagetest.Layer{busybox, {Entries: entries}}, Config: rig.ShellConfig()})
		r := h.Run("--image", image, "--args", "echo started")
		switch {
		case r.Code == 0 && strings.Contains(r.Stdout, "stdout started"):
		case r.Code == 1 && strings.Contains(r.Stderr, "invalid layer"):
			t.Logf("%s is refused: %s", name, r.Stderr)
		default:
			t.Errorf("%s: exit %d\n%s", name, r.Code, r)
		}
		if text, err := os.ReadFile(victim); string(text) != "of the host" {
			t.Errorf("%s: the host's file is %q, %v", name, text, err)
		}
		if entries, err := os.ReadDir(outside); len(entries) != 1 {
			t.Errorf("%s: the host's directory holds %v, %v", name, entries, err)
		}
	}
}

// contract: ATK-1, ATK-2
// A working directory or an entrypoint that names a descriptor or the runtime
// itself.
func TestProcInConfiguration(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	shim := filepath.Join(filepath.Dir(h.Runnel), "runnel-shim")
	before := hashOf(t, shim)
	busybox := imagetest.MustBusybox(t)
	run := func(c imagetest.Config) rig.Result {
		c.Env = rig.ShellConfig().Env
		return h.Run("--image", h.Build(imagetest.Build{Layers: []imagetest.Layer{busybox, {Entries: []imagetest.Entry{
			imagetest.File("self", "#!/proc/self/exe\n", 0o755),
		}}}, Config: c}), "--max-retries", "0")
	}
	script := []string{"/bin/sh", "-c", `echo started; cd ../../../../../../..; ls; pwd`}
	for _, dir := range []string{
		"/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd/5", "/proc/self/fd/6", "/proc/self/fd/7", "/proc/self/fd/8", "/proc/self/fd/9",
		"/proc/1/fd/3", "/proc/1/fd/7", "/proc/self/fd/../fd/8", "/proc/1/cwd", "/proc/self/root", "/proc/thread-self/fd/7",
	} {
		r := run(imagetest.Config{Entrypoint: script, WorkingDir: dir})
		if strings.Contains(r.Stdout, "stdout started") && !strings.Contains(r.Stdout, "stdout bin\n") {
			t.Errorf("working directory %s is outside\n%s", dir, r)
		}
		if r.Code == 0 && !strings.HasSuffix(strings.Split(r.Stdout, "TASK ")[0], "0 stdout /\n") {
			t.Errorf("working directory %s: where is that?\n%s", dir, r)
		}
	}
	for _, entrypoint := range [][]string{
		{"/proc/self/exe"}, {"/proc/self/exe", "init"}, {"/proc/self/fd/3", "/bin/sh", "sh", "-c", "echo pwned"},
		{"/proc/1/exe"}, {"/self"}, {"/proc/self/fd/0"}, {"/proc/self/root/bin/sh", "-c", "exit 9"},
	} {
		r := run(imagetest.Config{Entrypoint: entrypoint})
		if r.Code != 1 || strings.Contains(r.Stdout, "pwned") {
			t.Errorf("entrypoint %q: exit %d\n%s", entrypoint, r.Code, r)
		}
	}
	if hashOf(t, shim) != before {
		t.Error("the shim's program is not what it was")
	}
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// contract: LIM-5 ENV-11 ATK-31
func TestUsers(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	busybox := imagetest.MustBusybox(t)
	for user, want := range map[string]string{
		"":             "0:0",
		"app":          "1000:1000",
		"1000":         "1000:1000",
		"app:nogroup":  "1000:65534",
		"1234:4321":    "1234:4321",
		"nosuch":       "0:0",
		"root:x; id":   "",
		"-1":           "",
		"2147483648":   "",
		"0x0":          "0:0",
		"../../passwd": "0:0",
	} {
		r := h.Run("--image", h.Build(imagetest.Build{Layers: []imagetest.Layer{busybox},
			Config: imagetest.Config{Entrypoint: []string{"/bin/sh", "-c", "echo $(id -u):$(id -g)"}, User: user}}), "--max-retries", "0")
		if want == "" && r.Code == 1 && strings.Contains(r.Stderr, strconv.Quote(user)) {
			continue // refused by name
		}
		if r.Code != 0 || want == "" || !strings.HasPrefix(r.Stdout, "0 stdout "+want+"\n") {
			t.Errorf("user %q: exit %d, want %q\n%s", user, r.Code, want, r)
		}
	}
}
