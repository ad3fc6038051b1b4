package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// leak is something a test may leave behind: make makes it and returns what
// takes it back.
type leak struct {
	name string
	// want is what the verdict names.
	want string
	make func(t *testing.T) (undo func())
}

// privateLeaks change nothing but this process.
var privateLeaks = []leak{
	{"open file", "open file /proc/version", func(t *testing.T) func() {
		f, err := os.Open("/proc/version")
		check(t, err)
		return func() { f.Close() }
	}},
	{"eventfd", "anon_inode:[eventfd]", func(t *testing.T) func() {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		check(t, err)
		return func() { unix.Close(fd) }
	}},
	{"goroutine", "leaks_linux_test.go", func(t *testing.T) func() {
		stop := make(chan struct{})
		go func() { <-stop }()
		return func() { close(stop) }
	}},
	{"child process", "child process", func(t *testing.T) func() {
		cmd := exec.Command("sleep", "60")
		check(t, cmd.Start())
		return func() { check(t, cmd.Process.Kill()); _ = cmd.Wait() }
	}},
}

// hostLeaks need root.
var hostLeaks = []leak{
	{"mount", "mount tmpfs on ", func(t *testing.T) func() {
		dir := t.TempDir()
		check(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
		return func() { check(t, unix.Unmount(dir, 0)) }
	}},
	{"link", "link leaky", func(t *testing.T) func() {
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "leaky"}}
		check(t, netlink.LinkAdd(bridge))
		return func() { check(t, netlink.LinkDel(bridge)) }
	}},
	{"nftables table", "nftables table leaked of family 1", func(t *testing.T) func() {
		var c nftables.Conn
		table := c.AddTable(&nftables.Table{Name: "leaked", Family: nftables.TableFamilyINet})
		check(t, c.Flush())
		return func() { c.DelTable(table); check(t, c.Flush()) }
	}},
	{"cgroup", cgroupPrefix() + "Leak", func(t *testing.T) func() {
		trees, err := cgroupTrees()
		check(t, err)
		dir := filepath.Join(trees[0], cgroupPrefix()+"Leak")
		check(t, os.Mkdir(dir, 0o755))
		return func() { check(t, os.Remove(dir)) }
	}},
	{"thread in another namespace", "thread in net:", func(t *testing.T) func() {
		stop, moved, gone := make(chan struct{}), make(chan error), make(chan struct{})
		go func() {
			defer close(gone)
			runtime.LockOSThread() // and never unlocked: the thread ends here
			if unix.Gettid() == unix.Getpid() {
				// The first thread does not count: sit on it and use another.
				go func() { runtime.LockOSThread(); moved <- unix.Unshare(unix.CLONE_NEWNET); <-stop }()
			} else {
				moved <- unix.Unshare(unix.CLONE_NEWNET)
			}
			<-stop
		}()
		check(t, <-moved)
		return func() { close(stop); <-gone }
	}},
}

func TestNoLeaksDetects(t *testing.T) {
	for _, l := range privateLeaks {
		t.Run(l.name, func(t *testing.T) { detect(t, l) })
	}
}

func TestNoLeaksDetectsOnTheHost(t *testing.T) {
	Root(t)
	for _, l := range hostLeaks {
		t.Run(l.name, func(t *testing.T) { detect(t, l) })
	}
}

// detect shows that l is found when it is left, and is nothing when taken back.
func detect(t *testing.T, l leak) {
	t.Helper()
	var leaky recorder
	var undo func()
	leaky.run(func(tb testing.TB) {
		noLeaks(tb, 20*time.Millisecond)
		undo = l.make(t)
	})
	if undo == nil {
		return // it could not be made, and said so
	}
	undo()
	if got := strings.Join(leaky.errors, "\n"); !strings.Contains(got, "left: ") || !strings.Contains(got, l.want) {
		t.Errorf("left behind, but the verdict was %q, want %q in it", got, l.want)
	}
	var tidy recorder
	tidy.run(func(tb testing.TB) {
		noLeaks(tb, leakDeadline)
		l.make(t)()
	})
	if len(tidy.errors) > 0 {
		t.Errorf("taken back, but the verdict was %q", tidy.errors)
	}
}

func TestNoLeaksDetectsWhatIsGone(t *testing.T) {
	f, err := os.Open("/proc/version")
	check(t, err)
	var r recorder
	r.run(func(tb testing.TB) {
		noLeaks(tb, 20*time.Millisecond)
		f.Close()
	})
	if got := strings.Join(r.errors, "\n"); !strings.Contains(got, "gone: open file /proc/version") {
		t.Errorf("verdict %q", got)
	}
}

// A thread that was on its way out when the test began is not missed; what holds
// something is.
func TestNoLeaksDoesNotMissThreadsThatEnd(t *testing.T) {
	t.Parallel()
	before := snapshot{"thread in net:[2]": "", "thread in net:[1]": "", "open file /x": ""}
	got := before.diff(snapshot{"thread in net:[1]": "", "thread in net:[3]": ""})
	if want := []string{"left: thread in net:[3]", "gone: open file /x"}; !slices.Equal(got, want) {
		t.Errorf("differences %q, want %q", got, want)
	}
}

func TestMainGivesNamespacesOfTheirOwn(t *testing.T) {
	Root(t)
	mine, err := os.Readlink("/proc/self/ns/net")
	check(t, err)
	parents, err := os.Readlink("/proc/" + parentPID(t) + "/ns/net")
	check(t, err)
	if mine == parents {
		t.Error("the tests run in the network namespace they were started in")
	}
	s := snapshot{}
	check(t, lookLinks(s))
	if _, ok := s["link lo"]; !ok {
		t.Errorf("links %v, want lo", s)
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	check(t, err)
	if strings.Contains(string(text), " shared:") {
		t.Error("a mount is shared with the host")
	}
}

func TestMainPassesTheExitCodeThrough(t *testing.T) {
	Root(t)
	NoLeaks(t)
	for pattern, want := range map[string]int{"^TestEventuallyWaits$": 0, "[": 1} {
		again := exec.Command("/proc/self/exe", "-test.run="+pattern)
		again.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, envIsolated+"=") })
		out, _ := again.CombinedOutput()
		if got := again.ProcessState.ExitCode(); got != want {
			t.Errorf("-test.run=%s: exit code %d, want %d:\n%s", pattern, got, want, out)
		}
	}
}

func TestCgroupParentFindsWhatIsLeft(t *testing.T) {
	Root(t)
	NoLeaks(t)
	var r recorder
	r.run(func(tb testing.TB) {
		parent := CgroupParent(tb)
		trees, err := cgroupTrees()
		check(t, err)
		for _, tree := range trees {
			check(t, os.MkdirAll(tree+parent+"/child", 0o755))
		}
		cmd := exec.Command("sleep", "60")
		check(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		procs := filepath.Join(trees[0]+parent, "child", "cgroup.procs")
		check(t, os.WriteFile(procs, []byte(strconv.Itoa(cmd.Process.Pid)), 0))
	})
	if got := strings.Join(r.errors, "\n"); !strings.Contains(got, "left cgroups behind") || !strings.Contains(got, "Recorded-case-one") {
		t.Errorf("verdict %q", got)
	}
}

// parentPID is the process that executed this one, outside its namespaces.
func parentPID(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/stat")
	check(t, err)
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))[1]
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
