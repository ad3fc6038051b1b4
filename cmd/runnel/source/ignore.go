package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"runnel/cmd/runnel/cli"
)

// Files that say what of a directory is not deployed. Where both are, the first
// counts.
const (
	gcloudIgnore = ".gcloudignore"
	dockerIgnore = ".dockerignore"
)

// gitDir is never deployed.
const gitDir = ".git"

// includePrefix begins a line of a .gcloudignore that stands for another file's.
// Source: gcloud topic gcloudignore.
const includePrefix = "#!include:"

// ignored is what of a directory is not deployed.
type ignored struct {
	// dirs matches directories, files everything else; nil match nothing.
	dirs, files *patternmatcher.PatternMatcher
}

// readIgnored reads what a directory's own files say. What .gcloudignore holds is
// read as gitignore has it, and .dockerignore as Docker does.
func readIgnored(dir string) (*ignored, error) {
	name := filepath.Join(dir, gcloudIgnore)
	lines, err := gitLines(dir, gcloudIgnore, 0)
	if errors.Is(err, fs.ErrNotExist) {
		name = filepath.Join(dir, dockerIgnore)
		lines, err = dockerLines(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, cli.Bare(err))
	}
	dirs, files := make([]string, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		dirs[i], files[i] = strings.TrimSuffix(line, "/"), line
		if strings.HasSuffix(line, "/") {
			files[i] += "**" // what is in it, and no file of that name
		}
	}
	ig := &ignored{}
	if ig.dirs, err = patternmatcher.New(dirs); err == nil {
		ig.files, err = patternmatcher.New(files)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return ig, nil
}

// skips reports whether a name below the directory is ignored, and whether
// nothing below it can be deployed either.
func (ig *ignored) skips(rel string, isDir bool) (skip, whole bool) {
	if filepath.Base(rel) == gitDir {
		return true, isDir
	}
	patterns := ig.files
	if isDir {
		patterns = ig.dirs
	}
	skip, err := patterns.MatchesOrParentMatches(rel)
	if err != nil {
		return false, false // New has read the patterns: none is malformed
	}
	return skip, skip && isDir && !patterns.Exclusions()
}

// dockerLines are the patterns of a .dockerignore.
func dockerLines(name string) ([]string, error) {
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	return ignorefile.ReadAll(strings.NewReader(data))
}

// maxIncludes bounds files that include files.
const maxIncludes = 4

// gitLines are the patterns of a file in the form of gitignore, in that of Docker:
// there a pattern without a slash means the top of the directory alone.
func gitLines(dir, name string, depth int) (patterns []string, err error) {
	data, err := read(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(data) {
		line = strings.TrimRight(line, " \t\r\n")
		if other, ok := strings.CutPrefix(line, includePrefix); ok && depth < maxIncludes {
			more, err := gitLines(dir, strings.TrimSpace(other), depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s%s: %v", includePrefix, other, cli.Bare(err))
			}
			patterns = append(patterns, more...)
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		not := ""
		if rest, ok := strings.CutPrefix(line, "!"); ok {
			not, line = "!", rest
		}
		line = strings.TrimPrefix(line, `\`) // before # and !
		if !strings.Contains(strings.TrimSuffix(line, "/"), "/") {
			line = "**/" + line
		}
		patterns = append(patterns, not+strings.TrimPrefix(line, "/"))
	}
	return patterns, nil
}

// maxIgnoreFile is more than any such file has, in bytes.
const maxIgnoreFile = 1 << 20

// read reads a small file.
func read(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.Size() > maxIgnoreFile || !info.Mode().IsRegular() {
		return "", errors.New("want a file of at most 1 MiB")
	}
	data, err := os.ReadFile(name)
	return string(data), err
}
