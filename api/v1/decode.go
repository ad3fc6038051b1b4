package v1

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"runnel/api"
)

// Bounds of one document. They hold after expansion, so that neither a bomb of
// aliases nor one that contains itself gets far.
const (
	maxNodes  = 100_000
	maxDepth  = 50
	maxErrors = 50
)

// decoder fills Go values from a YAML tree and collects what does not fit.
type decoder struct {
	errs  api.FieldErrors
	nodes int
	// full says that a bound was reached: nothing more is read.
	full bool
	// file says that a person wrote this: problems are told with their line,
	// and text is not taken for a number.
	file bool
}

// add notes what is wrong with n, at path.
func (d *decoder) add(path string, n *yaml.Node, format string, args ...any) {
	if len(d.errs) == maxErrors {
		d.stop(path, "and more: only the first %d problems are listed", maxErrors)
	}
	if !d.full {
		message := fmt.Sprintf(format, args...)
		if d.file {
			message += fmt.Sprintf(" (line %d)", n.Line)
		}
		d.errs = append(d.errs, api.FieldError{Path: path, Message: message})
	}
}

// stop notes that a bound was reached at path.
func (d *decoder) stop(path, format string, args ...any) {
	if !d.full {
		d.errs = append(d.errs, api.FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	d.full = true
}

// decode fills v, which is settable and zero, from n at path.
func (d *decoder) decode(n *yaml.Node, path string, v reflect.Value, depth int) {
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		d.stop(path, "expands to more than %d values, or to more than %d levels", maxNodes, maxDepth)
	}
	if d.full {
		return
	}
	if n.Kind == yaml.AliasNode {
		d.decode(n.Alias, path, v, depth+1)
		return
	}
	if isNull(n) {
		return // a field without a value is a field that is not there
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Elem(), depth)
	case reflect.Struct:
		d.structure(n, path, v, depth)
	case reflect.Slice:
		d.list(n, path, v, depth)
	case reflect.Map:
		d.table(n, path, v, depth)
	default:
		d.scalar(n, path, v)
	}
}

// list fills a slice.
func (d *decoder) list(n *yaml.Node, path string, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.add(path, n, "is %s: want a list", describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(c) {
			d.add(at, c, "has no value: want one, or no such entry")
			continue
		}
		d.decode(c, at, v.Index(i), depth+1)
	}
}

// table fills a map whose keys are text.
func (d *decoder) table(n *yaml.Node, path string, v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	d.entries(n, path, func(k, value *yaml.Node) {
		at := fmt.Sprintf("%s[%q]", path, k.Value)
		if isNull(value) {
			d.add(at, value, "has no value: want text")
			return
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, at, element, depth+1)
		v.SetMapIndex(reflect.ValueOf(k.Value), element)
	})
}

// structure fills a struct. Its fields' json tags name them.
func (d *decoder) structure(n *yaml.Node, path string, v reflect.Value, depth int) {
	fields := fieldsOf(v.Type())
	d.entries(n, path, func(k, value *yaml.Node) {
		at := strings.TrimPrefix(path+"."+k.Value, ".")
		f, ok := fields[k.Value]
		switch {
		case !ok:
			d.add(at, k, "unknown field%s", suggestion(k.Value, fields))
		case f.Type == reflect.TypeFor[Ignored](), f.Tag.Get("set") == "server":
		case f.Type == reflect.TypeFor[Unsupported]():
			if !isNull(value) && (value.Kind != yaml.SequenceNode || len(value.Content) > 0) {
				d.add(at, k, "is not supported: %s", f.Tag.Get("why"))
			}
		default:
			d.decode(value, at, v.FieldByIndex(f.Index), depth+1)
		}
	})
}

// entries calls each for the keys and values of a mapping, each key once.
func (d *decoder) entries(n *yaml.Node, path string, each func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(path, n, "is %s: want a mapping of names to values", describe(n))
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !d.full; i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		at := strings.TrimPrefix(path+"."+k.Value, ".")
		switch first, twice := lines[k.Value]; {
		case k.ShortTag() == "!!merge":
			d.add(path, k, "merges another mapping: want its fields written out")
		case k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str":
			d.add(path, k, "has a key that is %s: want text", describe(k))
		case twice:
			d.add(at, k, "appears twice, first on line %d", first)
		default:
			lines[k.Value] = k.Line
			each(k, n.Content[i+1])
		}
	}
}

// scalar fills text, a truth value or a number.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		d.add(path, n, "is %s: want %s", describe(n), wanted(v.Type()))
	case (v.Type() == reflect.TypeFor[Quantity]() || v.Type() == reflect.TypeFor[Project]()) && (tag == "!!str" || tag == "!!int" || tag == "!!float"):
		v.SetString(n.Value)
	case v.Type() == reflect.TypeFor[Seconds]() && (tag == "!!str" || tag == "!!int"):
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			d.add(path, n, "%q is not a number of seconds: want a whole number such as 600", n.Value)
		}
		v.SetInt(seconds)
	case v.Kind() == reflect.String && v.Type() != reflect.TypeFor[Quantity]() && tag == "!!str":
		v.SetString(n.Value)
	case v.Kind() == reflect.Int32 && (tag == "!!int" || tag == "!!str" && !d.file):
		d.number(n, path, v)
	case v.Kind() == reflect.Bool && tag == "!!bool":
		v.SetBool(n.Value == "true")
	default:
		d.add(path, n, "is %s: want %s", describe(n), wanted(v.Type()))
	}
}

// number fills a number. Messages may hold one as text.
func (d *decoder) number(n *yaml.Node, path string, v reflect.Value) {
	plain := *n
	plain.Tag = "!!int"
	var number int32
	if plain.Decode(&number) != nil {
		d.add(path, n, "%s is not a whole number, or out of range", n.Value)
	}
	v.SetInt(int64(number))
}

// wanted says what a scalar field of type t takes.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Quantity]():
		return "an amount such as 1 or 512Mi"
	case t == reflect.TypeFor[Seconds]():
		return "a whole number of seconds such as 600"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int32:
		return "a whole number, without quotes"
	}
	return "text, in quotes if it looks like something else"
}

// describe says what n holds.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!str":
		return "text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "a date"
	}
	return "something tagged " + strconv.Quote(n.Tag)
}
