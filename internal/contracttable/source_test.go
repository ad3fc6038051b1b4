package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadSource(t *testing.T) {
	t.Parallel()
	// A comment of these sources begins with a mark that is not the true one,
	// or this test would name rows itself.
	for source, want := range map[string]string{
		"//C A-1\nfunc TestX(t *testing.T) {}":                                     "TestX A-1 a_test.go:2",
		"//C A-1, A-2 B-3b\n// Why.\nfunc TestX(t *testing.T) {}":                  "TestX A-1 a_test.go:2, TestX A-2 a_test.go:2, TestX B-3b a_test.go:2",
		"// Why.\n//\n//C A-1\n//C A-2\nfunc TestX(t *testing.T) {}":               "TestX A-1 a_test.go:4, TestX A-2 a_test.go:5",
		"func TestX(t *testing.T) {\n\t//C A-1\n\tt.Log()\n}":                      "TestX A-1 a_test.go:3",
		"func TestX(t *testing.T) {\n\tt.Log() //C A-1\n}\nfunc TestY() {}":        "TestX A-1 a_test.go:3",
		"//C A-1\nfunc FuzzX(f *testing.F) {}":                                     "FuzzX A-1 a_test.go:2",
		"//C A-1\nfunc ExampleX() {}":                                              "ExampleX A-1 a_test.go:2",
		"func TestX(t *testing.T) { t.Log(`//C A-1`) }":                            "",
		"// A promise of the contract: A-1 holds.\nfunc TestX(t *testing.T) {}":    "",
		"//C A-1\n\nfunc TestX(t *testing.T) {}":                                   "! neither above a test nor in one",
		"//C A-1\nfunc helper(t *testing.T) {}":                                    "! neither above",
		"//C A-1\nfunc TestMain(m *testing.M) {}":                                  "! neither above",
		"//C A-1\nfunc Testify(t *testing.T) {}":                                   "! neither above",
		"//C A-1\nfunc BenchmarkX(b *testing.B) {}":                                "! neither above",
		"type x int\n//C A-1\nfunc (x) TestX(t *testing.T) {}":                     "! neither above",
		"//C A-1\nvar cases = 1\nfunc TestX(t *testing.T) {}":                      "! neither above",
		"//C\nfunc TestX(t *testing.T) {}":                                         "! names no row",
		"//C A-1 holds\nfunc TestX(t *testing.T) {}":                               `! "holds" is no row's id`,
		"//C A-1:\nfunc TestX(t *testing.T) {}":                                    `! "A-1:" is no row's id`,
		"//C A-1-A-3\nfunc TestX(t *testing.T) {}":                                 `! "A-1-A-3" is no row's id`,
		"//" + "contract: A-1\nfunc TestX(t *testing.T) {}":                        "TestX A-1 a_test.go:2",
		"//C A-1\nfunc Test(t *testing.T) {}\n//C A-2\nfunc Test_x(*testing.T) {}": "Test A-1 a_test.go:2, Test_x A-2 a_test.go:4",
	} {
		all, faults, err := readSource("net/a_test.go", []byte("package net\n"+strings.ReplaceAll(source, "//C", "// "+lead)))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		var got []string
		for _, n := range all {
			if n.test.dir != "net" {
				t.Errorf("%s: the package is %s", source, n.test.dir)
			}
			got = append(got, fmt.Sprint(n.test.name, " ", n.row, " ", strings.TrimPrefix(n.at, "net/")))
		}
		if fault, ok := strings.CutPrefix(want, "! "); ok {
			if len(faults) != 1 || !strings.Contains(faults[0].Error(), fault) || !strings.HasPrefix(faults[0].Error(), "net/a_test.go:") {
				t.Errorf("%s: faults %v, want one that says %q", source, faults, fault)
			}
			continue
		}
		if strings.Join(got, ", ") != want || len(faults) > 0 {
			t.Errorf("%s: got %q and faults %v, want %q", source, got, faults, want)
		}
	}
}

// A comment that is spelt otherwise would prove nothing, and be seen by nobody.
func TestEachTestOfTheSuiteNamesARow(t *testing.T) {
	t.Parallel()
	source := "package contract\n// Contract: A-1\nfunc TestA1Holds(t *testing.T) {}\nfunc TestMain(m *testing.M) {}\n// " + lead + " A-2\nfunc TestA2Holds(t *testing.T) {}\nfunc helper() {}"
	_, faults, err := readSource(suiteDir+"/a_test.go", []byte(source))
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0].Error(), "TestA1Holds names no row") {
		t.Errorf("faults %v, %v; want one, that TestA1Holds names no row", faults, err)
	}
}

func TestReadSourcesLooksWhereGoDoes(t *testing.T) {
	t.Parallel()
	source := file("package x\n// " + lead + " A-1\nfunc TestX(t *testing.T) {}")
	all, faults, err := readSources(fstest.MapFS{
		"net/dns/a_test.go": source, "a_linux_test.go": source,
		"net/a.go": source, "net/testdata/a_test.go": source, ".cache/a_test.go": source, "_old/a_test.go": source, "bin/a_test.go": source,
	})
	var dirs []string
	for _, n := range all {
		dirs = append(dirs, n.test.dir)
	}
	if slices.Sort(dirs); !slices.Equal(dirs, []string{".", "net/dns"}) || len(faults) > 0 || err != nil {
		t.Errorf("found tests in %q, faults %v, error %v", dirs, faults, err)
	}
	if _, _, err := readSources(fstest.MapFS{"a_test.go": file("package")}); err == nil || !strings.Contains(err.Error(), "a_test.go:1") {
		t.Errorf("of what is no Go: error %v", err)
	}
}
