package family

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"runnel/cmd/runnel/cli"
)

// EnvFile reads the variables of a file, in their order.
func EnvFile(path string) ([]cli.Pair, error) {
	if path == "-" {
		return nil, cli.Usagef("--env-vars-file -: want the name of a file")
	}
	data, _, err := cli.ReadFile(path, nil)
	if err != nil {
		return nil, cli.Prefixed("--env-vars-file", err)
	}
	read := yamlEnv
	if strings.HasSuffix(filepath.Base(path), ".env") {
		read = dotEnv
	}
	pairs, err := read(data)
	if err != nil {
		return nil, cli.Usagef("--env-vars-file: %s: %v", path, err)
	}
	return pairs, nil
}

// yamlEnv reads a YAML file that holds a map of strings.
func yamlEnv(data []byte) ([]cli.Pair, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want NAME: \"VALUE\" on each line", root.Line)
	}
	var pairs []cli.Pair
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if value.Kind != yaml.ScalarNode || value.Tag != "!!str" {
			return nil, fmt.Errorf("line %d: the value of %s is no string: put it in quotes", value.Line, key.Value)
		}
		pairs = append(pairs, cli.Pair{Name: key.Value, Value: value.Value})
	}
	return pairs, nil
}

// dotEnv reads lines of NAME=VALUE, possibly behind "export". Empty lines and
// those that begin with # say nothing; a value in double quotes is read with
// its escapes, one in single quotes as it stands.
func dotEnv(data []byte) ([]cli.Pair, error) {
	var pairs []cli.Pair
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			return nil, fmt.Errorf("line %d: want NAME=VALUE", n)
		}
		value, err := unquote(value)
		if err != nil {
			return nil, fmt.Errorf("line %d: the quotes of %s do not end", n, name)
		}
		pairs = append(pairs, cli.Pair{Name: name, Value: value})
	}
	return pairs, nil
}

// unquote takes the quotes off a value that has some, or else the comment
// behind it.
func unquote(value string) (string, error) {
	switch {
	case strings.HasPrefix(value, "'"):
		text, _, ok := strings.Cut(value[1:], "'")
		if !ok {
			return "", strconv.ErrSyntax
		}
		return text, nil
	case strings.HasPrefix(value, `"`):
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			return "", err
		}
		return strconv.Unquote(quoted)
	}
	value, _, _ = strings.Cut(value, " #")
	return strings.TrimSpace(value), nil
}
