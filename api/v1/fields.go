package v1

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"runnel/api"
)

// fieldsOf returns the fields of the struct type t, and of the structs that it
// embeds, by the names of their json tags.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := make(map[string]reflect.StructField, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f
	}
	return fields
}

// suggestion ends the message about an unknown field with the name that was
// probably meant, if there is one.
func suggestion(name string, fields map[string]reflect.StructField) string {
	if best := api.Nearest(name, slices.Collect(maps.Keys(fields))); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}
