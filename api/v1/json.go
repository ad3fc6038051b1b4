package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// jsonTree reads JSON as the tree that the decoder wants. YAML is nearly a
// superset of JSON, but not where JSON writes a character as two escapes.
func jsonTree(data []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	t := treeReader{json: d, data: data, line: 1}
	root, err := t.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the end of the object")
	}
	return root, nil
}

// treeReader makes nodes of tokens.
type treeReader struct {
	json *json.Decoder
	data []byte
	// line is that of offset.
	line   int
	offset int64
}

// node is a node of what was just read.
func (t *treeReader) node(kind yaml.Kind, tag, value string) *yaml.Node {
	at := t.json.InputOffset()
	t.line += bytes.Count(t.data[t.offset:at], []byte("\n"))
	t.offset = at
	return &yaml.Node{Kind: kind, Tag: tag, Value: value, Line: t.line}
}

// value reads the next value, which stands depth levels deep.
func (t *treeReader) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d levels deep", maxDepth)
	}
	token, err := t.json.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		return t.compound(v, depth)
	case string:
		return t.node(yaml.ScalarNode, "!!str", v), nil
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return t.node(yaml.ScalarNode, "!!float", v.String()), nil
		}
		return t.node(yaml.ScalarNode, "!!int", v.String()), nil
	case bool:
		return t.node(yaml.ScalarNode, "!!bool", fmt.Sprint(v)), nil
	}
	return t.node(yaml.ScalarNode, "!!null", "null"), nil
}

// compound reads the rest of an object or a list.
func (t *treeReader) compound(open json.Delim, depth int) (*yaml.Node, error) {
	n := t.node(yaml.SequenceNode, "!!seq", "")
	if open == '{' {
		n = t.node(yaml.MappingNode, "!!map", "")
	}
	for t.json.More() {
		// Keys of an object are tokens like its values.
		child, err := t.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, child)
	}
	_, err := t.json.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
