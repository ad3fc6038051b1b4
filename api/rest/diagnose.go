package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// diagnose finds out what is wrong with a body that protojson has refused, and
// where: protojson itself names at most the field, not those around it. It takes
// the message apart and decodes each value on its own.
func diagnose(text []byte, t protoreflect.MessageType, path string, refused error) []violation {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, new(json.RawMessage)); errors.As(err, &syntax) {
		line := 1 + bytes.Count(text[:syntax.Offset], []byte("\n"))
		return []violation{{path, fmt.Sprintf("the body is not JSON: line %d: %v", line, syntax)}}
	}
	var d diagnosis
	d.message(text, t.Zero(), path)
	if d.found == nil {
		d.add(path, "%s", plain(refused))
	}
	return d.found
}

// maxViolations is how many things may be wrong before nobody reads on.
const maxViolations = 20

// diagnosis collects what is wrong.
type diagnosis struct{ found []violation }

// add notes that the value at path is wrong.
func (d *diagnosis) add(path, format string, args ...any) {
	if len(d.found) == maxViolations {
		return
	}
	d.found = append(d.found, violation{path, fmt.Sprintf(format, args...)})
}

// message looks at the members of an object that should be a message like m.
func (d *diagnosis) message(text []byte, m protoreflect.Message, path string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || members == nil {
		d.add(path, "%s is not an object", short(text))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := strings.TrimPrefix(path+"."+short(name), ".")
		if fd := fieldNamed(m.Descriptor(), name); fd != nil {
			d.field(members[name], m, fd, at)
		} else {
			d.add(at, "%s has no field %q", orBody(path), short(name))
		}
	}
}

// field looks at the value of the field fd of a message like m.
func (d *diagnosis) field(text []byte, m protoreflect.Message, fd protoreflect.FieldDescriptor, path string) {
	switch {
	case string(text) == "null":
	case fd.IsMap() && isNested(fd.MapValue()):
		d.entries(text, m.NewField(fd).Map().NewValue().Message(), path)
	case fd.IsList() && isNested(fd):
		d.elements(text, m.NewField(fd).List().NewElement().Message(), path)
	case !fd.IsMap() && !fd.IsList() && isNested(fd):
		d.message(text, m.NewField(fd).Message(), path)
	default:
		alone, _ := json.Marshal(map[string]json.RawMessage{fd.JSONName(): text})
		if err := protojson.Unmarshal(alone, m.New().Interface()); err != nil {
			d.add(path, "%s", plain(err))
		}
	}
}

// entries looks at each value of a map of messages like m.
func (d *diagnosis) entries(text []byte, m protoreflect.Message, path string) {
	var entries map[string]json.RawMessage
	if json.Unmarshal(text, &entries) != nil {
		d.add(path, "%s is not an object", short(text))
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		d.message(entries[key], m, fmt.Sprintf("%s[%q]", path, key))
	}
}

// elements looks at each element of a list of messages like m.
func (d *diagnosis) elements(text []byte, m protoreflect.Message, path string) {
	var elements []json.RawMessage
	if json.Unmarshal(text, &elements) != nil {
		d.add(path, "%s is not a list", short(text))
	}
	for i, element := range elements {
		d.message(element, m, fmt.Sprintf("%s[%d]", path, i))
	}
}

// isNested reports whether JSON writes a field as an object with the fields of
// its message. It does not so write the types that come with protobuf.
func isNested(fd protoreflect.FieldDescriptor) bool {
	m := fd.Message()
	return m != nil && m.ParentFile().Package() != "google.protobuf"
}

// plain is an error of protojson without what is before the reason: its own
// name, a space of changing kind, and a position in a text nobody sent.
func plain(err error) string {
	return beforeReason.ReplaceAllString(err.Error(), "")
}

// beforeReason is what plain takes away.
var beforeReason = regexp.MustCompile(`^(proto:[\s\x{a0}]*)?(\(line \d+:\d+\): )?`)

// maxShown is how much of a value stands in a message, in bytes.
const maxShown = 64

// short is the beginning of a value.
func short[T string | []byte](text T) string {
	if len(text) > maxShown {
		return strings.ToValidUTF8(string(text[:maxShown]), "") + "..."
	}
	return string(text)
}

// orBody is what a member stands in.
func orBody(path string) string {
	if path == "" {
		return "the body"
	}
	return path
}
