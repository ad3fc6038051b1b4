package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// module is the Go module under test.
type module struct {
	// path is its import path, dir its absolute directory.
	path, dir string
}

// testPackage is a package whose tests want a privileged host.
type testPackage struct {
	// path is the import path, dir the absolute directory.
	path, dir string
	// cgo says that the tests contain libcontainer, whose first stage is C.
	cgo bool
	// broken says why the tests could not be built.
	broken error
}

// findModule asks the go command where it stands.
func findModule(ctx context.Context) (module, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\n{{.Dir}}").Output()
	if err != nil {
		return module{}, fmt.Errorf("find the Go module: %w", withStderr(err))
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return module{}, fmt.Errorf("find the Go module: go list says %q", out)
	}
	return module{path: fields[0], dir: fields[1]}, nil
}

// listed is what is read of go list -json.
type listed struct {
	ImportPath, Dir           string
	TestImports, XTestImports []string
}

// privilegedPackages lists the packages whose tests import internal/testenv,
// sorted by path. Nobody keeps a list, so none can be forgotten.
func (m module) privilegedPackages(ctx context.Context, match []string) ([]testPackage, error) {
	testenv := path.Join(m.path, "internal/testenv")
	var found []testPackage
	all, err := goList(ctx, "list", "-e", "-json=ImportPath,Dir,TestImports,XTestImports", m.path+"/...")
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		uses := slices.Contains(p.TestImports, testenv) || slices.Contains(p.XTestImports, testenv) || p.ImportPath == testenv
		if uses && wanted(p.ImportPath, match) {
			found = append(found, testPackage{path: p.ImportPath, dir: p.Dir})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no package has privileged tests")
	}
	for i := range found {
		if found[i].cgo, err = needsCgo(ctx, found[i].path); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func wanted(importPath string, match []string) bool {
	return len(match) == 0 || slices.ContainsFunc(match, func(m string) bool { return strings.Contains(importPath, m) })
}

// needsCgo reports whether the tests of importPath contain libcontainer's C.
func needsCgo(ctx context.Context, importPath string) (bool, error) {
	deps, err := goList(ctx, "list", "-e", "-test", "-deps", "-json=ImportPath", importPath)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(deps, func(p listed) bool {
		return p.ImportPath == "github.com/opencontainers/runc/libcontainer/nsenter"
	}), nil
}

// goList reads the stream of JSON objects that go list writes.
func goList(ctx context.Context, args ...string) ([]listed, error) {
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), withStderr(err))
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, p)
	}
}

// withStderr adds what the program said to the error of exec.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return err
}
