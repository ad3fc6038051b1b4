package daemon

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	"runnel/api"
)

// lay lays the fields that text, in YAML, holds over c. What is wrong is told in
// the file's own words.
func (c *Config) lay(text []byte) error {
	err := yaml.UnmarshalStrict(text, c)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("want fields and their values, not a %s", found(wrong))
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: want %s, not a %s", wrong.Field, kindOf(wrong.Type), found(wrong))
	}
	if _, name, ok := strings.Cut(err.Error(), "json: unknown field "); ok {
		return unknownField(strings.Trim(name, `"`))
	}
	_, why, _ := strings.Cut(err.Error(), "yaml: ")
	return fmt.Errorf("not valid YAML: %s", strings.Join(strings.Fields(cmp.Or(why, err.Error())), " "))
}

// unknownField names the field that was probably meant.
func unknownField(name string) error {
	hint := "see runnel serve --help"
	if near := api.Nearest(name, fieldsOf(reflect.TypeFor[Config]())); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("%s: unknown field; %s", name, hint)
}

// fieldsOf are the names of all fields of a struct and of those it holds.
func fieldsOf(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		names = append(names, f.Tag.Get("json"))
		if f.Type.Kind() == reflect.Struct {
			names = append(names, fieldsOf(f.Type)...)
		}
	}
	return names
}

// found is what stands in the place of something else, by YAML's names.
func found(e *json.UnmarshalTypeError) string {
	kind, _, _ := strings.Cut(e.Value, " ") // "number 1.5"
	return cmp.Or(map[string]string{"array": "list", "object": "mapping"}[kind], kind)
}

// kindOf describes the type of a field to people.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "fields and their values"
	}
	return "text"
}
