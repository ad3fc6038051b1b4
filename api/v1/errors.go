package v1

import "errors"

var (
	// ErrSyntax says that a file is not YAML; the text names the line.
	ErrSyntax = errors.New("not valid YAML")
	// ErrTooLarge says that a file is larger, or once its aliases are expanded
	// becomes larger, than any resource.
	ErrTooLarge = errors.New("larger than the limit")
)
