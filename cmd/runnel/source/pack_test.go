package source

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// directory makes a directory of files by their names; a text that begins with ->
// makes a link.
func directory(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if target, ok := strings.CutPrefix(text, "->"); ok {
			must(t, os.Symlink(target, path))
			continue
		}
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// packed is a directory as it is uploaded.
func packed(t testing.TB, dir string) ([]byte, error) {
	t.Helper()
	ignored, err := readIgnored(dir)
	must(t, err)
	var b bytes.Buffer
	err = pack(t.Context(), &b, dir, ignored)
	return b.Bytes(), err
}

// entries are what a tar holds, one line each.
func entries(t testing.TB, raw []byte) (lines []string) {
	t.Helper()
	tr := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		must(t, err)
		text, err := io.ReadAll(tr)
		must(t, err)
		lines = append(lines, fmt.Sprintf("%c %o %d:%d %s%s %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name, h.Linkname, text))
		if !h.ModTime.Equal(time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC)) {
			t.Errorf("%s is of %v", h.Name, h.ModTime)
		}
	}
}

func TestPackedDirectory(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 200)
	dir := directory(t, map[string]string{"main.py": "print(1)", "lib/x.py": "x", "link": "->/etc/passwd", "dangling": "->nowhere", ".git/HEAD": "x", "lib/.git": "x", long: ""})
	must(t, os.Chmod(filepath.Join(dir, "main.py"), 0o755))
	must(t, os.Chmod(filepath.Join(dir, "lib"), 0o1770))
	must(t, os.Chmod(dir, 0o755))
	raw, err := packed(t, dir)
	must(t, err)
	want := []string{
		"5 755 0:0 workspace/ ", "2 777 0:0 workspace/danglingnowhere ", "5 770 0:0 workspace/lib/ ", "0 644 0:0 workspace/lib/x.py x",
		"2 777 0:0 workspace/link/etc/passwd ", "0 755 0:0 workspace/main.py print(1)", "0 644 0:0 workspace/" + long + " ",
	}
	if info, err := os.Stat(filepath.Join(dir, "lib")); err == nil && info.Mode()&os.ModeSticky != 0 {
		want[2] = "5 1770 0:0 workspace/lib/ "
	}
	if got := entries(t, raw); !slices.Equal(got, want) {
		t.Errorf("packed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	must(t, os.Chtimes(filepath.Join(dir, "main.py"), time.Unix(1, 0), time.Unix(2, 0)))
	if again, err := packed(t, dir); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("the same files at another time: other bytes, %v", err)
	}
	through := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, through))
	if again, err := packed(t, through+"/"); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("through a link: %q, %v", entries(t, again), err)
	}
}

func TestPackedDirectoryRefuses(t *testing.T) {
	t.Parallel()
	pipe := directory(t, nil)
	must(t, syscall.Mkfifo(filepath.Join(pipe, "p"), 0o600))
	for says, dir := range map[string]string{
		"/p is a named pipe: only files, directories and symbolic links can be deployed": pipe,
		"/.wh.x: a name that begins with .wh.":                                           directory(t, map[string]string{"d/.wh.x": ""}),
		"no such file":                                                                   filepath.Join(t.TempDir(), "none"),
	} {
		if _, err := packed(t, dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	must(t, os.WriteFile(filepath.Join(pipe, gcloudIgnore), []byte("p\n"), 0o644))
	if _, err := packed(t, pipe); err != nil {
		t.Errorf("a pipe that is ignored: %v", err)
	}
}

func TestIgnoredFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a.log": "", "d/a.log": "", "build/x": "", "d/build": "", "keep/a.log": "", "node_modules/m/x": "", "top": "", "d/top": "", "#x": "",
	}
	for text, want := range map[string]string{
		".gcloudignore\n*.log\nbuild/\n/top\n# comment\n\\#x\n": "d/build d/top node_modules/m/x .gcloudignore",
		".gcloudignore\n*.log\n!keep/a.log\nnode_modules":       "#x build/x d/build d/top keep/a.log top .gcloudignore",
		".gcloudignore\n#!include:more\n":                       "#x build/x d/build keep/a.log d/top top a.log d/a.log .gcloudignore more",
		".dockerignore\n*.log\ntop\nd/build\n":                  "#x build/x d/a.log d/top keep/a.log node_modules/m/x .dockerignore",
		".dockerignore\n**/*.log\nbuild\n.dockerignore":         "#x d/build d/top node_modules/m/x top",
	} {
		name, patterns, _ := strings.Cut(text, "\n")
		dir := directory(t, files)
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(patterns), 0o644))
		if strings.Contains(text, "include") {
			must(t, os.WriteFile(filepath.Join(dir, "more"), []byte("node_modules\n"), 0o644))
		}
		raw, err := packed(t, dir)
		must(t, err)
		var got []string
		for _, e := range entries(t, raw) {
			if f := strings.Fields(e); f[0] == "0" {
				got = append(got, strings.TrimPrefix(f[3], "workspace/"))
			}
		}
		wanted := strings.Fields(want)
		slices.Sort(got)
		slices.Sort(wanted)
		// .gcloudignore's text is its own.
		got = slices.DeleteFunc(got, func(s string) bool { return s == "" })
		if !slices.Equal(got, wanted) {
			t.Errorf("%q: %q, want %q", text, got, wanted)
		}
	}
	for name, text := range map[string]string{gcloudIgnore: "[", dockerIgnore: "["} {
		dir := directory(t, map[string]string{name: text})
		if _, err := readIgnored(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readIgnored(directory(t, map[string]string{gcloudIgnore: "#!include:none"})); err == nil || !strings.Contains(err.Error(), "#!include:none: no such file") {
		t.Errorf("an include that is not there: %v", err)
	}
}
