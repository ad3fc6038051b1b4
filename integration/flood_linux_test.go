package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// contract: LOG-10 LOG-11 ATK-26
// Whatever a task prints comes out as it is: bytes that are no text, lines
// without an end.
func TestOddOutput(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	o := runJSON(h, h.Script(`printf 'a\000b\377c\r\n\033[31mred\n\n\xe2\x82'; exit 0`)...)
	o.Exits(0)
	var all []byte
	for _, l := range o.lines {
		text := []byte(l.Text)
		if l.Bytes != nil {
			text = l.Bytes
		}
		all = append(append(all, text...), '\n')
	}
	if want := "a\x00b\xffc\r\n\x1b[31mred\n\n\xe2\x82\n"; string(all) != want {
		t.Errorf("got %q, want %q", all, want)
	}

	o = runJSON(h, h.Script(`head -c 10485760 /dev/zero | tr '\0' x; echo; echo end`)...)
	o.Exits(0)
	length, last := 0, o.lines[len(o.lines)-1]
	for _, l := range o.lines[:len(o.lines)-1] {
		length += len(l.Text)
		if len(l.Text) > 1<<18 {
			t.Fatalf("a line of %d bytes", len(l.Text))
		}
	}
	if length != 10<<20 || last.Text != "end" {
		t.Errorf("%d bytes of one line, then %q", length, last.Text)
	}
}

// contract: LOG-11 ATK-26
// A flood of output neither fills the disk nor ends the writer, even if nobody
// reads it.
func TestLogFlood(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	root := h.KeptRoot()
	size := 200
	if testing.Short() {
		size = 50
	}
	script := h.Script(fmt.Sprintf(`head -c 127 /dev/zero | tr '\0' x >/line; echo >>/line
		i=0; while [ $i -lt 13 ]; do cat /line /line >/more; mv /more /line; i=$((i + 1)); done
		i=0; while [ $i -lt %d ]; do cat /line; i=$((i + 1)); done; echo the end >&2`, size), "--root", root, "--max-retries", "0")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := h.StartWith(func(cmd *exec.Cmd) { cmd.Stdout = w }, append([]string{"run"}, script...)...)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// Nobody reads yet, and the writer goes on all the same: its end is seen in
	// the cgroup's processes, which go.
	testenv.Eventually(t, rig.Patience(), func() bool { return logSize(root) > 1<<20 }, "the log grows")
	testenv.Eventually(t, rig.Patience(), func() bool {
		if n := logSize(root); n > 40<<20 {
			t.Fatalf("the log takes %d bytes", n)
		}
		return len(processesOf(h, []string{root})) == 0
	}, "the writer comes to its end although nobody reads")
	counted := make(chan int, 1)
	go func() {
		n, end := 0, false
		buf := make([]byte, 1<<16)
		for {
			k, err := r.Read(buf)
			n, end = n+k, end || bytes.Contains(buf[:k], []byte("stderr the end"))
			if err != nil {
				break
			}
		}
		if !end {
			n = -n
		}
		counted <- n
	}()
	p.Wait().Exits(0)
	if n := <-counted; n <= 0 {
		t.Errorf("%d bytes came out, without the last line", -n)
	} else {
		t.Logf("%d MiB of %d came out", n>>20, size)
	}
}

// logSize is how many bytes the logs of a root take.
func logSize(root string) (size int64) {
	files, _ := filepath.Glob(filepath.Join(root, "logs", "*")) // the pattern is fine
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	return size
}

// contract: ATK-26
// Standard output that is closed ends the run in good order.
func TestReaderGoesAway(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := h.StartWith(func(cmd *exec.Cmd) { cmd.Stdout = w },
		append([]string{"run"}, h.Script(`trap 'exit 0' TERM; while :; do echo line; sleep 0.05; done`)...)...)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if res := p.Wait(); res.Code != 1 && res.Code != 128+int(syscall.SIGPIPE) {
		t.Errorf("exit %d\n%s", res.Code, res)
	}
}
