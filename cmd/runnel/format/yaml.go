package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// appendYAML adds v as a YAML document, laid out as gcloud does: keys in the
// order of the alphabet, lists not indented, quotes only where a text would be
// read as something else.
func appendYAML(out []byte, v any) ([]byte, error) {
	node, err := yamlNode(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := e.Encode(node); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return append(out, b.Bytes()...), nil
}

// yamlNode is v as a node of YAML.
func yamlNode(v any) (*yaml.Node, error) {
	node := &yaml.Node{}
	switch x := v.(type) {
	case map[string]any:
		node.Kind = yaml.MappingNode
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if err := add(node, k, x[k]); err != nil {
				return nil, err
			}
		}
	case []any:
		node.Kind = yaml.SequenceNode
		if err := add(node, x...); err != nil {
			return nil, err
		}
	case string:
		return scalar(x)
	case json.Number:
		node.Kind, node.Value = yaml.ScalarNode, x.String()
		return node, nil
	default:
		if err := node.Encode(v); err != nil {
			return nil, fmt.Errorf("write YAML: %w", err)
		}
		return node, nil
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle // {} or []
	}
	return node, nil
}

// add appends values to what node holds.
func add(node *yaml.Node, values ...any) error {
	for _, v := range values {
		child, err := yamlNode(v)
		if err != nil {
			return err
		}
		node.Content = append(node.Content, child)
	}
	return nil
}

// scalar is a text: in single quotes where it needs some, which are double
// ones by default.
func scalar(s string) (*yaml.Node, error) {
	node := &yaml.Node{}
	if err := node.Encode(s); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if node.Style == yaml.DoubleQuotedStyle && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		node.Style = yaml.SingleQuotedStyle
	}
	return node, nil
}
