package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// fieldNamed is the field of a message by either of its names, nil if there is
// none.
func fieldNamed(m protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := m.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	return m.Fields().ByTextName(name)
}

// resolve finds the fields that a dotted path leads through, the last of which
// text can be put into.
func resolve(m protoreflect.MessageDescriptor, dotted string) ([]protoreflect.FieldDescriptor, error) {
	names := strings.Split(dotted, ".")
	var fields []protoreflect.FieldDescriptor
	for i, name := range names {
		fd := fieldNamed(m, name)
		if fd == nil {
			return nil, fmt.Errorf("%s has no field %q", owner(m, names[:i]), name)
		}
		fields = append(fields, fd)
		inner := fd.Message()
		last := i == len(names)-1
		switch {
		case fd.IsMap(), last && inner != nil && !isText(inner):
			return nil, fmt.Errorf("%s belongs into the body", strings.Join(names[:i+1], "."))
		case !last && (inner == nil || fd.IsList() || isText(inner)):
			return nil, fmt.Errorf("%s has no field %q", strings.Join(names[:i+1], "."), names[i+1])
		}
		m = inner
	}
	return fields, nil
}

// owner says what a name was looked for in.
func owner(m protoreflect.MessageDescriptor, names []string) string {
	if len(names) == 0 {
		return string(m.Name())
	}
	return strings.Join(names, ".")
}

// canonical is the one spelling of a path.
func canonical(fields []protoreflect.FieldDescriptor) string {
	names := make([]string, len(fields))
	for i, fd := range fields {
		names[i] = fd.JSONName()
	}
	return strings.Join(names, ".")
}

// isText reports whether JSON writes a message as one string or number.
func isText(m protoreflect.MessageDescriptor) bool {
	switch m.FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask",
		"google.protobuf.BoolValue", "google.protobuf.StringValue", "google.protobuf.BytesValue",
		"google.protobuf.Int32Value", "google.protobuf.Int64Value", "google.protobuf.UInt32Value",
		"google.protobuf.UInt64Value", "google.protobuf.FloatValue", "google.protobuf.DoubleValue":
		return true
	}
	return false
}

// setText puts text into the field that fields lead to; into a list, at its end.
func setText(m protoreflect.Message, fields []protoreflect.FieldDescriptor, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is not UTF-8", text)
	}
	last := len(fields) - 1
	for _, fd := range fields[:last] {
		m = m.Mutable(fd).Message()
	}
	fd := fields[last]
	v, err := parseText(m, fd, text)
	if err != nil {
		return err
	}
	if fd.IsList() {
		m.Mutable(fd).List().Append(v)
	} else {
		m.Set(fd, v)
	}
	return nil
}

// parseText is text as a value of fd, a field of m.
func parseText(m protoreflect.Message, fd protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	if fd.Message() != nil {
		return parseMessage(m, fd, text)
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), nil
	case protoreflect.BytesKind:
		b, err := parseBytes(text)
		return protoreflect.ValueOfBytes(b), err
	case protoreflect.BoolKind:
		b, err := strconv.ParseBool(text)
		return protoreflect.ValueOfBool(b), reason(err, "true or false", text)
	case protoreflect.EnumKind:
		return parseEnum(fd.Enum(), text)
	default:
		return parseNumber(fd.Kind(), text)
	}
}

// parseNumber is text as a number of a kind.
func parseNumber(kind protoreflect.Kind, text string) (v protoreflect.Value, err error) {
	const whole = "a whole number in range"
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), reason(err, whole, text)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, err := strconv.ParseInt(text, 10, 64)
		return protoreflect.ValueOfInt64(n), reason(err, whole, text)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), reason(err, whole, text)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(text, 10, 64)
		return protoreflect.ValueOfUint64(n), reason(err, whole, text)
	case protoreflect.FloatKind:
		f, err := strconv.ParseFloat(text, 32)
		return protoreflect.ValueOfFloat32(float32(f)), reason(err, "a number", text)
	default:
		f, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(f), reason(err, "a number", text)
	}
}

// parseEnum is the value of an enum by its name or number. Numbers without a
// name are for the service to judge.
func parseEnum(enum protoreflect.EnumDescriptor, text string) (protoreflect.Value, error) {
	if v := enum.Values().ByName(protoreflect.Name(text)); v != nil {
		return protoreflect.ValueOfEnum(v.Number()), nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), reason(err, "a name or number of "+string(enum.Name()), text)
}

// parseBytes decodes base64, of either alphabet, padded or not.
func parseBytes(text string) ([]byte, error) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(plain)
	return b, reason(err, "base64", text)
}

// parseMessage is text as one of the messages that isText knows.
func parseMessage(m protoreflect.Message, fd protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	v := m.NewField(fd)
	if fd.IsList() {
		v = v.List().NewElement()
	}
	message := v.Message().Interface()
	if mask, ok := message.(*fieldmaskpb.FieldMask); ok {
		mask.Paths = parseMask(text)
		return v, nil
	}
	quoted, err := json.Marshal(text)
	if err == nil {
		err = unmarshalAny(quoted, text, message)
	}
	return v, reason(err, string(fd.Message().Name()), text)
}

// unmarshalAny decodes a JSON string, or the same text bare: a BoolValue is not
// quoted.
func unmarshalAny(quoted []byte, bare string, m proto.Message) error {
	err := protojson.Unmarshal(quoted, m)
	if err != nil && json.Valid([]byte(bare)) {
		err = protojson.Unmarshal([]byte(bare), m)
	}
	return err
}

// parseMask splits the paths of a field mask and gives them their proto
// spelling, in whichever they came.
func parseMask(text string) (paths []string) {
	for _, p := range strings.Split(text, ",") {
		if p = strings.TrimSpace(p); p != "" {
			paths = append(paths, snake(p))
		}
	}
	return paths
}

// snake is lowerCamelCase in snake_case.
func snake(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// reason is what a value should have been, if err.
func reason(err error, want, text string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is not %s", text, want)
}
