package v1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize bounds a file, in bytes.
const maxSize = 1 << 20

// document reads the one document of a YAML (or JSON) file, which is to be of a
// kind, as the tree that is written there: aliases are not expanded.
func document(data []byte, kind string) (*yaml.Node, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("the file has %d bytes: %w (%d)", len(data), ErrTooLarge, maxSize)
	}
	var found *yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s", ErrSyntax, syntaxProblem(data, err))
		}
		if len(n.Content) == 0 || isNull(n.Content[0]) {
			continue // nothing between two separators
		}
		if found != nil {
			return nil, fmt.Errorf("line %d begins a second document: want exactly one %s in a file", n.Content[0].Line, kind)
		}
		found = n.Content[0]
	}
	if found == nil {
		return nil, errors.New("the file is empty: want a " + kind)
	}
	return found, nil
}

// syntaxProblem says on which line of data the YAML reader's err lies, and what
// it is. The reader counts some lines from zero and sees others too late; where
// it is known to, its number is put right.
func syntaxProblem(data []byte, err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(text, "tab character") || strings.Contains(text, "cannot start any token") {
		line := 0
		for l := range bytes.Lines(data) {
			line++
			if bytes.HasPrefix(bytes.TrimLeft(l, " "), []byte("\t")) {
				return fmt.Sprintf("line %d: begins with a tab: want spaces", line)
			}
		}
	}
	var line int
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 0 {
		return text
	}
	_, problem, _ := strings.Cut(text, ": ")
	if strings.HasPrefix(problem, "did not find expected") {
		line++
	}
	return fmt.Sprintf("line %d: %s", line, problem)
}

// isNull reports whether n holds nothing.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
