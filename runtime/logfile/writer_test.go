package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// entries reads the files of the log at path in order, marks left out.
func entries(t *testing.T, path string) []Entry {
	t.Helper()
	var all []Entry
	for _, file := range []string{Old(path), path} {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			e, err := Parse(bytes.TrimSuffix(line, []byte{'\n'}))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			if _, mark := Start(e); !mark {
				all = append(all, e)
			}
		}
	}
	return all
}

// printed is what the entries of stream say, put together again.
func printed(all []Entry, stream string) string {
	var b strings.Builder
	for _, e := range all {
		if e.Stream != stream {
			continue
		}
		b.Write(e.Text)
		if !e.Partial {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func closeWriter(t *testing.T, w *Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// contract: LOG-1, LOG-11
func TestWriterKeepsStreamsApartAndInOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	w := NewWriter(path, 1<<20)
	out, err := w.Stream(Stdout), w.Stream(Stderr)
	before := time.Now()
	fmt.Fprint(out, "one\ntw")
	fmt.Fprint(err, "oops\n")
	fmt.Fprint(out, "o\n\nthree")
	closeWriter(t, w)
	all := entries(t, path)
	if got := printed(all, Stdout); got != "one\ntwo\n\nthree\n" {
		t.Errorf("stdout is %q", got)
	}
	if got := printed(all, Stderr); got != "oops\n" {
		t.Errorf("stderr is %q", got)
	}
	if at := all[0].Time; at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("first entry is of %v", at)
	}
}

func TestWriterOfAQuietInstanceCreatesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	w := NewWriter(path, 1<<20)
	w.Stream(Stdout)
	closeWriter(t, w)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v, want no file", err)
	}
}

// contract: LOG-10
func TestWriterSplitsLongLines(t *testing.T) {
	t.Parallel()
	for _, size := range []int{MaxText - 1, MaxText, MaxText + 1, 2 * MaxText, 10*MaxText + 7} {
		path := filepath.Join(t.TempDir(), "a.log")
		w := NewWriter(path, 16<<20)
		want := strings.Repeat("x", size) + "\nnext\n"
		// Written in odd pieces, as a pipe delivers them.
		out := w.Stream(Stdout)
		for rest := want; rest != ""; {
			n := min(len(rest), 5000)
			io.WriteString(out, rest[:n])
			rest = rest[n:]
		}
		closeWriter(t, w)
		all := entries(t, path)
		for _, e := range all {
			if len(e.Text) > MaxText {
				t.Errorf("an entry of %d bytes", len(e.Text))
			}
		}
		if got := printed(all, Stdout); got != want {
			t.Errorf("a line of %d bytes reads back as %d bytes", size, len(got))
		}
		if parts, want := len(all)-1, (size+MaxText-1)/MaxText; parts != want {
			t.Errorf("a line of %d bytes makes %d parts, want %d", size, parts, want)
		}
	}
}

func TestWriterDoesNotCutCharacters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	w := NewWriter(path, 16<<20)
	want := "a" + strings.Repeat("€", 3*MaxText)
	out := w.Stream(Stdout)
	for rest := []byte(want); len(rest) > 0; {
		n := min(len(rest), 4096)
		out.Write(rest[:n])
		rest = rest[n:]
	}
	closeWriter(t, w)
	all := entries(t, path)
	for i, e := range all {
		if !bytes.Equal(e.Text, bytes.ToValidUTF8(e.Text, []byte("?"))) {
			t.Fatalf("part %d ends within a character", i)
		}
	}
	if got := printed(all, Stdout); got != want+"\n" {
		t.Error("the text changed")
	}
}

// contract: ATK-26
func TestWriterIsSafeForAnyBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	w := NewWriter(path, 64<<20)
	rnd := rand.New(rand.NewPCG(1, 2))
	var want []byte
	out := w.Stream(Stdout)
	for range 200 {
		p := make([]byte, rnd.IntN(70_000))
		for i := range p {
			p[i] = byte(rnd.Uint32() % 257) // newlines, NULs, broken UTF-8
		}
		want = append(want, p...)
		out.Write(p)
	}
	out.Write([]byte("\n"))
	closeWriter(t, w)
	if got := printed(entries(t, path), Stdout); got != string(want)+"\n" {
		t.Errorf("%d bytes came back as %d, or changed", len(want), len(got))
	}
}

// contract: ATK-26
func TestWriterNeverOwnsMoreThanTwoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	w := NewWriter(path, MinLimit)
	out := w.Stream(Stdout)
	check := func() {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) > 2 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			if info, err := f.Info(); err != nil || info.Size() > MinLimit {
				t.Fatalf("%s has %d bytes, %v", f.Name(), info.Size(), err)
			}
		}
	}
	for i := range 60 {
		switch i % 3 {
		case 0:
			out.Write(bytes.Repeat([]byte{'\n'}, 20_000)) // far more header than text
		case 1:
			out.Write(bytes.Repeat([]byte{0}, 100_000))
		default:
			fmt.Fprintf(out, "line %d\n", i)
		}
		check()
	}
	fmt.Fprint(out, "the end")
	closeWriter(t, w)
	check()
	all := entries(t, path)
	if last := all[len(all)-1]; string(last.Text) != "the end" {
		t.Errorf("last entry is %q", last.Text)
	}
	if d := w.Dropped(); d != (Dropped{}) {
		t.Errorf("dropped %+v", d)
	}
}

func TestWriterReplacesWhatAnEarlierLogLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	for _, file := range []string{path, Old(path)} {
		if err := os.WriteFile(file, []byte("old\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := NewWriter(path, 1<<20)
	fmt.Fprintln(w.Stream(Stdout), "new")
	closeWriter(t, w)
	if got := printed(entries(t, path), Stdout); got != "new\n" {
		t.Errorf("got %q", got)
	}
}

// A directory that is missing stands for every reason why a file cannot be
// opened.
func TestWriterCountsAndTellsWhatItDrops(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(dir, "a.log")
	w := NewWriter(path, 1<<20)
	out := w.Stream(Stdout)
	fmt.Fprint(out, "lost\nand gone\n")
	if d := w.Dropped(); d != (Dropped{Entries: 2, Bytes: 12}) {
		t.Errorf("dropped %+v", d)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, "kept")
	fmt.Fprintln(out, "kept too")
	closeWriter(t, w)
	all := entries(t, path)
	if got := printed(all, Stdout); got != "kept\nkept too\n" {
		t.Errorf("stdout is %q", got)
	}
	want := "2 entries (12 bytes) of output were lost here: no such file or directory\n"
	if got := printed(all, System); got != want {
		t.Errorf("note is %q, want %q", got, want)
	}
	fmt.Fprint(out, "too late")
	if d := w.Dropped(); d != (Dropped{Entries: 3, Bytes: 20}) {
		t.Errorf("after Close: dropped %+v", d)
	}
}

func TestWriterTakesManyWritersAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	w := NewWriter(path, 16<<20)
	var wg sync.WaitGroup
	for _, name := range []string{Stdout, Stderr} {
		out := w.Stream(name)
		wg.Go(func() {
			for i := range 5000 {
				fmt.Fprintf(out, "%d\n", i)
			}
		})
	}
	wg.Wait()
	closeWriter(t, w)
	all := entries(t, path)
	for _, name := range []string{Stdout, Stderr} {
		for i, line := range strings.Split(strings.TrimSpace(printed(all, name)), "\n") {
			if line != fmt.Sprint(i) {
				t.Fatalf("%s: line %d is %q", name, i, line)
			}
		}
	}
}

// BenchmarkWriter writes 1000-byte lines as a pipe delivers them: shorter ones
// would measure the rate that entries are held to.
func BenchmarkWriter(b *testing.B) {
	chunk := bytes.Repeat([]byte(strings.Repeat("x", 999)+"\n"), 64)
	w := NewWriter(filepath.Join(b.TempDir(), "a.log"), 16<<20)
	out := w.Stream(Stdout)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		out.Write(chunk)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if d := w.Dropped(); d.Entries > 0 {
		b.Fatalf("dropped %+v", d)
	}
}
