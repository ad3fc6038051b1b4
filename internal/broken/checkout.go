package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// checkout is a copy of the checkout that may be broken.
type checkout struct {
	dir string
}

// copyCheckout copies the files of the checkout that the working directory is:
// what git knows, and what is new.
func copyCheckout(ctx context.Context) (*checkout, error) {
	list, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("list the files of the checkout: %w", err)
	}
	dir, err := os.MkdirTemp("", "runnel-broken-")
	if err != nil {
		return nil, err
	}
	c := &checkout{dir}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if err := c.take(name); err != nil {
			c.remove()
			return nil, err
		}
	}
	return c, nil
}

// take copies one file; one that was deleted and not yet committed is none.
func (c *checkout) take(name string) error {
	info, err := os.Lstat(name)
	if os.IsNotExist(err) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return c.write(name, text, info.Mode().Perm())
}

func (c *checkout) write(name string, text []byte, mode fs.FileMode) error {
	to := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, mode)
}

func (c *checkout) remove() { _ = os.RemoveAll(c.dir) } // temporary; nobody is left to tell

// try breaks the copy, runs the tests that are to notice, and mends it. It
// returns those that passed all the same.
func (c *checkout) try(ctx context.Context, b breakage) (passed []guard, err error) {
	for _, e := range b.edits {
		text, err := os.ReadFile(filepath.Join(c.dir, e.file))
		if err != nil {
			return nil, err
		}
		broken, err := e.apply(string(text))
		if err != nil {
			return nil, err
		}
		defer func() { _ = c.write(e.file, text, 0o644) }() // or the next build says so
		if err := c.write(e.file, []byte(broken), 0o644); err != nil {
			return nil, err
		}
	}
	if err := c.build(ctx); err != nil {
		return nil, err
	}
	for _, g := range b.tests {
		notices, err := c.fails(ctx, g)
		if err != nil {
			return nil, err
		}
		if !notices {
			passed = append(passed, g)
		}
	}
	return passed, nil
}

// build builds the programs of the copy, as it is now.
func (c *checkout) build(ctx context.Context) error {
	if out, err := c.command(ctx, "make", "--silent", "build", "build-test").CombinedOutput(); err != nil {
		return fmt.Errorf("build the copy: %w\n%s", err, out)
	}
	return nil
}

// fails reports whether a test fails in the copy. One that does not run is an
// error: it would notice nothing.
func (c *checkout) fails(ctx context.Context, g guard) (bool, error) {
	out, err := c.command(ctx, "go", "test", "-count=1", "-v", "-run", "^"+g.name+"$", g.pkg).CombinedOutput()
	ended := regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): ` + regexp.QuoteMeta(g.name) + ` `).FindSubmatch(out)
	switch {
	case ended != nil && string(ended[1]) == "SKIP":
		return false, fmt.Errorf("%s is skipped here:\n%s", g.name, out)
	case ended != nil:
		return string(ended[1]) == "FAIL", nil
	case bytes.Contains(out, []byte("panic: test timed out")):
		return true, nil
	}
	return false, fmt.Errorf("%s did not run: %v\n%s", g.name, err, out)
}

func (c *checkout) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath -buildvcs=false",
		"RUNNEL_TEST_BIN="+filepath.Join(c.dir, "bin"), "RUNNEL_TEST_MUST_RUN=1")
	return cmd
}
