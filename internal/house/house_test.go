package house

import (
	"strings"
	"testing"
)

// rule is one rule of the house.
type rule struct {
	name  string
	check func([]file) (faults []string)
	// bad is a source that breaks it, at the path where it does.
	bad []example
	// good is a source that looks like breaking it and does not.
	good []example
}

// example is a file in memory, and what the verdict on it must name.
type example struct{ path, source, want string }

var rules = []rule{
	{"walls", checkWalls,
		[]example{
			{"image/a.go", `package image; import _ "runnel/cgroups"`, "image/a.go:1: image -> cgroups: a mechanism"},
			{"ingress/a.go", `package ingress; import _ "runnel/scheduler"`, "ingress -> scheduler"},
			{"contract/a.go", `package contract; import _ "runnel/internal/undo"`, "contract -> internal/undo"},
			{"runtime/a.go", `package runtime; import _ "runnel/runtime/shim/server"`, "runtime -> runtime/shim/server"},
			{"runtime/shim/a.go", `package shim; import _ "runnel/runtime"`, "runtime/shim -> runtime"},
			{"cmd/runnel/a.go", `package main; import _ "runnel/runtime/shim/server"`, "cmd/runnel -> runtime/shim/server"},
			{"api/a.go", `package api; import _ "runnel/attic"`, "api -> attic"},
			{"attic/a.go", `package attic`, "attic/a.go belongs to no room"},
		},
		[]example{
			{"image/a.go", `package image; import (_ "runnel/contract"; _ "runnel/internal/undo"; _ "runnel/image/oci")`, ""},
			{"image/a_test.go", `package image; import _ "runnel/cgroups"`, ""},
			{"runtime/a.go", `package runtime; import (_ "runnel/image"; _ "runnel/net/dns"; _ "runnel/runtime/shim")`, ""},
		}},
	{"dangerous dependencies", checkDangerous,
		[]example{
			{"runtime/a.go", `package runtime; import _ "github.com/opencontainers/runc/libcontainer"`, "libcontainer: libcontainer executes"},
			{"net/a.go", `package net; import "C"`, "the only cgo"},
			{"runtime/a.go", `package runtime; import _ "github.com/google/go-containerregistry/pkg/name"`, "verified in one place"},
			{"cgroups/a.go", `package cgroups; import _ "github.com/vishvananda/netlink"`, "the network of the host"},
			{"net/a.go", `package net; import _ "golang.org/x/sys/unix"`, "system calls"},
			{"net/linux.go", `package net; import _ "golang.org/x/sys/unix"`, "system calls"},
			{"runtime/a.go", `package runtime; import _ "cloud.google.com/go/run/apiv2/runpb"`, "plain types"},
			{"net/a.go", `package net; import _ "testing"`, "not part of the product"},
			{"net/a.go", `package net; import _ "testing/fstest"`, "not part of the product"},
			{"net/a.go", `package net; import _ "runnel/internal/testenv"`, "not part of the product"},
			{"cmd/runnel/a.go", `package main; import _ "runnel/image/imagetest"`, "not part of the product"},
		},
		[]example{
			{"net/a_linux.go", `package net; import (_ "golang.org/x/sys/unix"; _ "github.com/google/nftables")`, ""},
			{"net/a_test.go", `package net; import (_ "testing"; _ "runnel/internal/testenv")`, ""},
			{"image/imagetest/a.go", `package imagetest; import (_ "testing"; _ "github.com/google/go-containerregistry/pkg/v1")`, ""},
			{"internal/mkimage/a.go", `package main; import _ "runnel/image/imagetest"`, ""},
			{"net/a.go", `package net; import _ "golang.org/x/sys/cpu"`, ""},
		}},
	{"import names", checkNames,
		[]example{
			{"runtime/a.go", `package runtime; import "runnel/net"`, "import runnel/net as rnet"},
			{"scheduler/a_test.go", `package scheduler; import run "runnel/runtime"`, "import runnel/runtime as rruntime"},
			{"cmd/runnel/a.go", `package main; import "runnel/image"`, "import runnel/image as rimage"},
		},
		[]example{
			{"runtime/a.go", `package runtime; import rnet "runnel/net"; import "net"; import "runnel/net/dns"`, ""},
			{"image/oci/a.go", `package oci; import "runnel/image"`, ""},
		}},
	{"package names", checkDrawers,
		[]example{
			{"net/util/a.go", `package util`, "net/util: a package named util"},
			{"net/helpers/a.go", `package x`, "net/helpers"},
		},
		[]example{{"net/utilisation/a.go", `package utilisation`, ""}}},
	{"package comments", checkPackageComments,
		[]example{
			{"net/a.go", `package net`, "net: want exactly one package comment, found 0"},
			{"net/a.go", "// This gives a namespace.\npackage net", `must begin with "Package net "`},
		},
		[]example{
			{"net/a.go", "// Package net gives a namespace.\npackage net", ""},
			{"cmd/runnel/a.go", "// Runnel runs things.\npackage main", ""},
			{"integration/a_test.go", "package integration", ""},
		}},
	{"comments", checkDocumented,
		[]example{
			{"net/a.go", "package net\nfunc Open() {}", "net/a.go:2: Open is exported"},
			{"net/a.go", "package net\ntype Plan struct{}", "Plan is exported"},
			{"net/a.go", "package net\n// Types.\ntype (\nPlan struct{}\n)", "Plan is exported"},
			{"net/a.go", "package net\nconst Size = 1", "Size is exported"},
			{"net/a.go", "package net\n// Plan is one.\ntype Plan[T any] struct{}\nfunc (p *Plan[T]) Run() {}", "Run is exported"},
		},
		[]example{
			{"net/a.go", "package net\n// Sizes of things.\nconst (\nSize = 1\n)\nvar small = 1\ntype plan struct{}\nfunc (p *plan) Run() {}\nfunc open() {}", ""},
			{"net/a.go", "package net\nconst (\nSize = 1 // in bytes\n// Depth is in feet.\nDepth = 2\n)", ""},
		}},
	{"words of errors", checkErrorWords,
		[]example{
			{"net/a.go", "package net\nvar _ = fmt.Errorf(\"failed to %w\", err)", "net/a.go:2"},
			{"net/a.go", "package net\nvar _ = errors.New(`Failed to open`)", "net/a.go:2"},
		},
		[]example{{"net/a.go", "package net\nvar _ = fmt.Errorf(\"attach %s: %w\", x, err)", ""}}},
	{"length", checkLength,
		[]example{{"net/a.go", "package net\n" + strings.Repeat("//\n", maxLines), "401 lines"}},
		[]example{{"net/a.go", "package net\n" + strings.Repeat("//\n", maxLines-1), ""}}},
	{"init", checkInit,
		[]example{{"net/a.go", "package net\nfunc init() {}", "net/a.go:2: no init"}},
		[]example{
			{"net/a.go", "package net\ntype t int\nfunc (t) init() {}", ""},
			{"cmd/runnel-shim/main.go", "package main\nfunc init() {}", ""},
		}},
	{"sleep", checkSleep,
		[]example{{"net/a.go", "package net\nfunc f() { go func() { time.Sleep(1) }() }", "net/a.go:2"}},
		[]example{{"net/a.go", "package net\nfunc f() { x.Sleep(1) }", ""}}},
	{"package-level variables", checkVariables,
		[]example{
			{"net/a.go", "package net\nvar Sizes = []int{1}", "Sizes can be changed"},
			{"net/a.go", "package net\nvar once sync.Once", "once is made to be changed"},
			{"net/a.go", "package net\nvar all []atomic.Int64", "all is made to be changed"},
			{"net/a.go", "package net\nvar n int\nfunc f() { n = 1 }", "net/a.go:3: the package-level variable n is assigned"},
			{"net/a.go", "package net\nfunc f() { n++ }\nvar n int", "n is assigned"},
			{"net/a.go", "package net\nvar m = map[int]int{}\nfunc f() { m[1] = 2 }", "m is assigned"},
			{"net/a.go", "package net\nvar c conf\nfunc f() { flag(&c) }", "c is assigned"},
		},
		[]example{
			{"net/a.go", "package net\nvar ErrGone = errors.New(`gone`)\nvar sizes = []int{1}\nvar _ I = T{}\nfunc f() int { return sizes[0] }", ""},
			{"net/a.go", "package net\nvar n = 1\nfunc f(n int) { n = 2; g(&n) }\nfunc g() { var n int; n++; for n = range 3 {} }", ""},
		}},
}

func TestHouse(t *testing.T) {
	t.Parallel()
	files := load(t, "../..")
	if len(files) < 10 {
		t.Fatalf("found %d files only: is this the module's root?", len(files))
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range r.check(files) {
				t.Error(fault)
			}
		})
	}
}

func TestEachRuleCanFail(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		if len(r.bad) == 0 || len(r.good) == 0 {
			t.Errorf("%s: no example shows that it works", r.name)
		}
		for _, e := range r.bad {
			if faults := strings.Join(r.check(inMemory(t, e)), "\n"); !strings.Contains(faults, e.want) || faults == "" {
				t.Errorf("%s: of\n%s\nit says %q, want %q in it", r.name, e.source, faults, e.want)
			}
		}
		for _, e := range r.good {
			if faults := r.check(inMemory(t, e)); len(faults) > 0 {
				t.Errorf("%s: of\n%s\nit says %q, want nothing", r.name, e.source, faults)
			}
		}
	}
}

func TestPackageCommentsInTwoFiles(t *testing.T) {
	t.Parallel()
	one := inMemory(t, example{path: "net/a.go", source: "// Package net is.\npackage net"})
	two := inMemory(t, example{path: "net/b.go", source: "// Package net is, too.\npackage net"})
	faults := checkPackageComments(append(one, two...))
	if len(faults) != 1 || !strings.Contains(faults[0], "found 2 [net/a.go net/b.go]") {
		t.Errorf("got %q", faults)
	}
}

func TestVariablesAcrossFiles(t *testing.T) {
	t.Parallel()
	one := inMemory(t, example{path: "net/a.go", source: "package net\nvar n int"})
	two := inMemory(t, example{path: "net/b.go", source: "package net\nfunc f() { n = 1 }"})
	other := inMemory(t, example{path: "image/b.go", source: "package image\nfunc f() { n = 1 }"})
	faults := checkVariables(append(append(one, two...), other...))
	if len(faults) != 1 || !strings.Contains(faults[0], "net/b.go:2") {
		t.Errorf("got %q", faults)
	}
}

func inMemory(t *testing.T, e example) []file {
	t.Helper()
	f, err := parse(e.path, []byte(e.source))
	if err != nil {
		t.Fatalf("%s: %v", e.source, err)
	}
	return []file{f}
}
