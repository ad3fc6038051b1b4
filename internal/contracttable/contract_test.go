package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// example is a module with a row of every kind.
func example() fstest.MapFS {
	return fstest.MapFS{
		"go.mod": file("module m\n\ngo 1.26\n"),
		rowsFile: file("# Rows.\n## First things\n" +
			"A-1\tM\tBoth hosts show it, K_* | <x>.\tclaimed\nA-2\tM\tThe VM alone shows it.\tclaimed\nA-3\tM\tThe host alone shows it.\tclaimed\n" +
			"A-4\tS\tOnly a part shows it, where no host is wanted.\tclaimed\nA-5\tS\tIt fails on the host.\tclaimed\nA-6\tS\tNobody has run it.\tclaimed\n" +
			"A-7\tS\tOn the host, only a part shows it.\tclaimed\n" +
			"## Second things\nB-1\tM\tIt is to be shown.\tclaimed\nB-2\tS\tIt is not promised.\tnot claimed: there is * none\nB-3\tP\tIt may come.\tclaimed\n"),
		openFile: file("# The list.\nB-1\tthat it is\n"),
		"integration/a_test.go": source("A-1 TestAll", "A-2 TestMachine", "A-3 TestMachine", "A-3 TestHost", "A-5 TestBroken", "A-5 TestAll", "A-7 TestMachine",
			"B-3 TestSkipped"),
		"integration/contract/a_test.go": source("A-1 TestA1Here", "A-2 TestA2Here"),
		"net/a_test.go":                  source("A-1 TestPart", "A-4 TestPart", "A-7 TestPart", "A-6 TestNew", "B-2 TestRefused"),
		resultsFile: file("# What became.\nintegration\tTestAll\tpass\tpass\nintegration\tTestMachine\tskip\tpass\nintegration\tTestHost\tpass\tfail\n" +
			"integration\tTestBroken\tfail\tpass\nintegration\tTestSkipped\tskip\tskip\nintegration\tTestGone\tpass\tpass\n" +
			"integration/contract\tTestA1Here\tpass\tskip\nintegration/contract\tTestA2Here\tskip\tskip\n" +
			"net\tTestPart\tpass\t-\nnet\tTestRefused\tpass\tpass\n"),
		readmeFile: file("# M\n\n" + summaryMark + "old\n" + summaryEnd + "\nMore.\n"),
	}
}

// source is a file of tests that name rows, each "ROW Test".
func source(namings ...string) *fstest.MapFile {
	text := "package x\n"
	for _, n := range namings {
		id, name, _ := strings.Cut(n, " ")
		text += fmt.Sprintf("// %s %s\nfunc %s(t *testing.T) {}\n", lead, id, name)
	}
	return file(text)
}

func readExample(t *testing.T, change func(fstest.MapFS)) *contract {
	t.Helper()
	fsys := example()
	change(fsys)
	c, err := read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	c := readExample(t, func(fstest.MapFS) {})
	for id, want := range map[string]string{
		"A-1": "proved proved but for TestA1Here", "A-2": "skipped proved but for TestA2Here", "A-3": "proved failed", "A-4": "in parts not run", "A-5": "failed proved",
		"A-6": "not run not run", "A-7": "in parts proved", "B-1": "no test no test", "B-2": "– –", "B-3": "skipped skipped",
	} {
		if got := c.shown(c.row(id), onHost) + " " + c.shown(c.row(id), inVM); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	add := func(name, text string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { f[name] = file(string(f[name].Data) + text) }
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string // in the only fault; "" for none
	}{
		"none":                      {func(fstest.MapFS) {}, ""},
		"no such row":               {func(f fstest.MapFS) { f["net/b_test.go"] = source("A-99 TestX") }, "net/b_test.go:2: TestX names A-99, which is no row"},
		"misplaced":                 {func(f fstest.MapFS) { f["net/b_test.go"] = source("A-1 helper") }, "net/b_test.go:2: the comment names rows"},
		"M without a test":          {add(rowsFile, "C-1\tM\tIt holds.\tclaimed\n"), "C-1 is claimed and no test names it"},
		"S without a test":          {add(rowsFile, "C-1\tS\tIt holds.\tclaimed\n"), "C-1 is claimed and no test names it"},
		"not claimed and no test":   {add(rowsFile, "C-1\tM\tIt holds.\tnot claimed: why\n"), ""},
		"open with a test":          {add(openFile, "A-1\tthis\n"), "A-1 has a test now, TestAll: take"},
		"open twice":                {add(openFile, "B-1\tthis\n"), "B-1 is there twice"},
		"open and no row":           {add(openFile, "C-1\tthis\n"), "toprove.tsv: C-1 is no row"},
		"open and not claimed":      {add(openFile, "B-2\tthis\n"), "B-2 is not claimed"},
		"the last test of a row":    {func(f fstest.MapFS) { f["net/a_test.go"] = source("A-4 TestPart") }, "A-6 is claimed and no test"},
		"called after its row":      {func(f fstest.MapFS) { f[suiteDir+"/a_test.go"] = source("A-1 TestA1Holds", "A-2 TestA1Holds") }, ""},
		"called after another row":  {func(f fstest.MapFS) { f[suiteDir+"/a_test.go"] = source("A-1 TestA11Holds") }, "TestA11Holds is called after none"},
		"called after no row":       {func(f fstest.MapFS) { f[suiteDir+"/a_test.go"] = source("A-1 TestHolds") }, "TestHolds is called after none"},
		"the last test of the open": {func(f fstest.MapFS) { delete(f, openFile); f[openFile] = file("") }, "B-1 is claimed and no test"},
	} {
		faults := readExample(t, c.change).faults()
		switch {
		case c.want == "" && len(faults) > 0:
			t.Errorf("%s: faults %v, want none", name, faults)
		case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0].Error(), c.want)):
			t.Errorf("%s: faults %v, want one with %q", name, faults, c.want)
		}
	}
}

func TestReadTellsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{rowsFile: rowsFile, openFile: openFile, "go.mod": "go.mod"} {
		fsys := example()
		delete(fsys, name)
		if _, err := read(fsys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
	for line, want := range map[string]string{"net\tTestX\tpass": "3 columns, want 4", "net\tTestX\tpass\tperhaps": `"perhaps", want one of`} {
		fsys := example()
		fsys[resultsFile] = file(line + "\n")
		if _, err := read(fsys); err == nil || !strings.Contains(err.Error(), resultsFile+":1: "+want) {
			t.Errorf("%q: error %v, want %q", line, err, want)
		}
	}
	for _, name := range []string{resultsFile, tableFile} {
		fsys := example()
		delete(fsys, name)
		if _, err := read(fsys); err != nil {
			t.Errorf("before %s is written for the first time: %v", name, err)
		}
	}
	c := readExample(t, func(f fstest.MapFS) { f[readmeFile] = file("# M\n" + summaryMark) })
	if _, err := c.files(); err == nil || !strings.Contains(err.Error(), "README.md lacks") {
		t.Errorf("without a mark: error %v", err)
	}
}

func TestWrittenFiles(t *testing.T) {
	t.Parallel()
	c := readExample(t, func(fstest.MapFS) {})
	written, err := c.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range written {
		golden := filepath.Join("testdata", filepath.Base(f.path))
		if *update {
			if err := os.WriteFile(golden, []byte(f.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if f.text != string(want) {
			t.Errorf("%s is not as in %s; see git diff after go test -update:\n%s", f.path, golden, f.text)
		}
	}
}

// What a package's tests came to is worth nothing where the package fails.
func TestRunUnprovesWhatFailsAsAWhole(t *testing.T) {
	t.Parallel()
	for name, log := range map[string]logFile{
		"on a host": {onHost, "--- PASS: TestB (0.1s)\nFAIL\tm/net\t0.1s\n"},
		"not built": {onHost, "FAIL\tm/net [build failed]\n"},
		"in a VM":   {inVM, "\x01vm begin 0 0 m/net\n--- PASS: TestB (0.1s)\n\x01vm end 1 5 m/net\n"},
	} {
		root := t.TempDir()
		fsys := example()
		fsys["net/b_test.go"] = source("B-1 TestB")
		if err := os.CopyFS(root, fsys); err != nil {
			t.Fatal(err)
		}
		log.path = write(t, root, "tests.log", log.path)
		if err := run(root, []logFile{log}); err != nil {
			t.Fatal(err)
		}
		want := map[host]string{onHost: "net\tTestB\tfail\t-\n", inVM: "net\tTestB\t-\tfail\n"}[log.host]
		if got := textsBelow(t, root)[resultsFile]; !strings.Contains(got, want) {
			t.Errorf("%s: the results lack %q:\n%s", name, want, got)
		}
	}
}

// TestRun has logs change results, keeps what they do not tell, and changes
// nothing the second time.
func TestRun(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	fsys := example()
	fsys["net/b_test.go"] = source("B-1 TestB")
	if err := os.CopyFS(root, fsys); err != nil {
		t.Fatal(err)
	}
	logs := []logFile{
		{onHost, write(t, root, "host.log", "--- PASS: TestNew (0.1s)\n--- PASS: TestB (0.1s)\n--- PASS: TestOfNoRow (0.1s)\nok  \tm/net\t0.1s\n")},
		{inVM, write(t, root, "vm.log", "\x01vm begin 0 0 m/integration\n--- SKIP: TestAll (0.1s)\n")},
	}
	if err := run(root, logs); err != nil {
		t.Fatal(err)
	}
	first := textsBelow(t, root)
	results := first[resultsFile]
	for _, want := range []string{"net\tTestNew\tpass\t-\n", "net\tTestB\tpass\t-\n", "integration\tTestAll\tpass\tskip\n", "integration\tTestHost\tpass\tfail\n"} {
		if !strings.Contains(results, want) {
			t.Errorf("the results lack %q:\n%s", want, results)
		}
	}
	if strings.Contains(results, "TestOfNoRow") || strings.Contains(results, "TestGone") {
		t.Errorf("the results tell of tests that name no row:\n%s", results)
	}
	if got := first[openFile]; got != "# The list.\n" {
		t.Errorf("the list of what is to be proved is %q, and B-1 has a test", got)
	}
	if got := first[tableFile]; !strings.Contains(got, "| B-1 | M | It is to be shown. | net: TestB | in parts | not run |") {
		t.Errorf("the table does not tell what the logs say:\n%s", got)
	}
	if err := run(root, nil); err != nil {
		t.Fatal(err)
	}
	if second := textsBelow(t, root); !maps.Equal(first, second) {
		t.Error("run again, it writes something else")
	}
}

func TestRunWritesNothingWhereRowsAndTestsDisagree(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(fstest.MapFS){
		"no such row": func(f fstest.MapFS) { f["net/b_test.go"] = source("A-99 TestX") },
		"no marks":    func(f fstest.MapFS) { f[readmeFile] = file("# M\n") },
		"no test":     func(f fstest.MapFS) { f[openFile] = file("") },
	} {
		root := t.TempDir()
		fsys := example()
		change(fsys)
		if err := os.CopyFS(root, fsys); err != nil {
			t.Fatal(err)
		}
		before := textsBelow(t, root)
		if err := run(root, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if !maps.Equal(before, textsBelow(t, root)) {
			t.Errorf("%s: something was written", name)
		}
	}
	root := t.TempDir()
	if err := os.CopyFS(root, example()); err != nil {
		t.Fatal(err)
	}
	if err := run(root, []logFile{{onHost, filepath.Join(root, "none.log")}}); err == nil || !strings.Contains(err.Error(), "none.log") {
		t.Errorf("of a log that is not there: error %v", err)
	}
}

func write(t *testing.T, root, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(root, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// textsBelow reads all files below root.
func textsBelow(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	fsys := os.DirFS(root)
	paths, err := fs.Glob(fsys, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"docs", "integration", "integration/contract", "net"} {
		below, _ := fs.Glob(fsys, dir+"/*")
		paths = append(paths, below...)
	}
	for _, p := range slices.Compact(paths) {
		if text, err := fs.ReadFile(fsys, p); err == nil {
			all[p] = string(text)
		}
	}
	return all
}
