package v1

import (
	"reflect"
	"strings"
)

// fieldsOf returns the fields of the struct type t by the names of their json
// tags.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := make(map[string]reflect.StructField, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f
	}
	return fields
}

// maxDistance is how many letters a misspelt name may be off.
const maxDistance = 3

// suggestion ends the message about an unknown field with the name that was
// probably meant: the nearest one, unless that has little in common with it.
func suggestion(name string, fields map[string]reflect.StructField) string {
	best, distance := "", maxDistance+1
	for f := range fields {
		d := editDistance(strings.ToLower(name), strings.ToLower(f))
		// Of equally near ones the alphabet decides, so that the text is
		// always the same.
		if d < distance || d == distance && f < best {
			best, distance = f, d
		}
	}
	if best == "" || distance > maxDistance || 2*distance > len(name) {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance is the number of letters to insert, delete or replace to make
// b of a. Long texts are not compared: no field is that long.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
