package api

import (
	"fmt"
	"strings"
)

// FieldError is one thing that is wrong with a resource.
type FieldError struct {
	// Path leads to the field, such as template.template.maxRetries or
	// template.template.containers[0].resources.limits["cpu"].
	Path string
	// Message says what is wrong and what would be right.
	Message string
}

// Error is the path and the message.
func (e FieldError) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// FieldErrors is everything that is wrong with a resource, in the order of its
// fields. Find it with errors.As.
type FieldErrors []FieldError

// Error is one line for each error.
func (e FieldErrors) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// WithPaths returns a copy of e whose paths have been translated.
func (e FieldErrors) WithPaths(translate func(path string) string) FieldErrors {
	out := make(FieldErrors, len(e))
	for i, f := range e {
		out[i] = FieldError{Path: translate(f.Path), Message: f.Message}
	}
	return out
}

// Err is e as an error: nil if there is nothing wrong.
func (e FieldErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// checker collects what is wrong.
type checker struct{ errs FieldErrors }

// add notes that the field at path is wrong.
func (c *checker) add(path, format string, args ...any) {
	c.errs = append(c.errs, FieldError{path, fmt.Sprintf(format, args...)})
}

// check notes err, if it is one, for the field at path.
func (c *checker) check(path string, err error) {
	if err != nil {
		c.add(path, "%v", err)
	}
}

// index is the path of an element of the list at path.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// key is the path of an entry of the map at path.
func key(path, k string) string { return fmt.Sprintf("%s[%q]", path, k) }
