package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// onDisk starts a daemon whose root is a disk of its own, which fill takes all
// the room of, and makeRoom gives it back. Neither takes memory of the host's.
func onDisk(t *testing.T, h *rig.Host) (d *rig.Daemon, fill, makeRoom func()) {
	t.Helper()
	disk := t.TempDir()
	const whole = 1 << 30 // the store of images keeps half of that free
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", whole)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	resize := func(size uint64) error {
		return unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", size))
	}
	fill = func() {
		h.Helper()
		testenv.Eventually(h, rig.Patience(), func() bool {
			var st unix.Statfs_t
			if err := unix.Statfs(disk, &st); err != nil {
				t.Fatal(err)
			}
			return resize((st.Blocks-st.Bfree)*uint64(st.Bsize)) == nil // refused if more was written meanwhile
		}, "the disk is as small as what is on it")
	}
	makeRoom = func() {
		if err := resize(whole); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(disk, "root")
	h.AddRoot(root)
	d = h.Serve("--root", root)
	d.Root = root
	return d, fill, makeRoom
}

// contract: ATK-37
func TestATK37FullDiskIsReportedAndRecoveredFrom(t *testing.T) {
	d, fill, makeRoom := onDisk(t, daemon(t).Host)
	try(t, d, d.Host.Shell(), []string{"before"}, "--args", "echo before").Exits(0)
	fill()

	// What fits into pages that are there already may be taken still.
	var taken []string
	var refused string
	d.Eventually("a change is refused", func() bool {
		name := nameOf(t, "j"+strconv.Itoa(len(taken)))
		status, text := call(t, d, "POST", "/v2/projects/local/locations/us-central1/jobs?jobId="+name,
			jobOf(object{"image": d.Host.Shell(), "args": []any{strings.Repeat("x", 100_000)}}))
		if status == 200 {
			taken = append(taken, name)
			return false
		}
		if refused = name; status != 503 || !strings.Contains(text, "no space left on device") {
			t.Fatalf("%d %s", status, rig.Clip(text))
		}
		return true
	})
	more := shellWith(t, d, imagetest.File("more", "more", 0o644))
	if r := d.CLI("jobs", "deploy", nameOf(t, "image"), "--image", more); r.Code != 1 || !strings.Contains(r.Stderr, "no space left") {
		t.Errorf("an image is imported on a full disk: exit %d\n%s", r.Code, r)
	}
	if left, err := os.ReadDir(filepath.Join(d.Root, "images", "tmp")); err != nil || len(left) > 0 {
		t.Errorf("left of it are %v, %v", left, err)
	}
	// A small change may find room where a large one has not: it is done then.
	if r := d.CLI("jobs", "execute", nameOf(t, "before"), "--wait"); r.Code != 0 && !strings.Contains(r.Stderr, "no space left on device") {
		t.Errorf("a job is executed on a full disk: exit %d\n%s", r.Code, r)
	}
	if r := d.CLI("jobs", "list", "--format", "value(name)").Exits(0); !strings.Contains(r.Stdout, nameOf(t, "before")) {
		t.Errorf("listed are %s", r.Stdout)
	}
	if log := d.CLI("jobs", "logs", nameOf(t, "before"), "--format", "value(textPayload)").Exits(0).Stdout; log != "before\n" {
		t.Errorf("the log is %q", log)
	}

	// The same daemon goes on as soon as there is room, and so does the next.
	for _, restart := range []bool{false, true} {
		makeRoom()
		if restart {
			d.Start()
		}
		again := nameOf(t, "again", strconv.FormatBool(restart))
		d.Eventually("the disk takes changes again", func() bool {
			return d.CLI("jobs", "deploy", again, "--image", d.Host.Shell(), "--args", "echo again", "--cpu", "0.2", "--memory", "128Mi", "--max-retries", "0").Code == 0
		})
		d.CLI("jobs", "execute", again, "--wait").Exits(0)
		d.CLI("jobs", "execute", nameOf(t, "before"), "--wait").Exits(0)
		list := d.CLI("jobs", "list", "--format", "value(name)").Exits(0).Stdout
		for _, name := range append(taken, again, nameOf(t, "before")) {
			if !strings.Contains(list, name) {
				t.Errorf("%s is lost: %s", name, list)
			}
		}
		if strings.Contains(list, refused+"\n") {
			t.Errorf("%s was refused and is there", refused)
		}
		if !restart {
			fill()
			d.Kill()
		}
	}
}
