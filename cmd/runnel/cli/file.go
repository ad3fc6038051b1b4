package cli

import (
	"errors"
	"io"
	"os"
)

// maxFile is more than any file that a flag or an argument names, in bytes.
const maxFile = 1 << 20

// ReadFile reads a file of at most 1 MiB; "-" is standard input. name is what
// messages call it, and stands in front of a UsageError.
func ReadFile(path string, stdin io.Reader) (data []byte, name string, err error) {
	in, name := stdin, "standard input"
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, path, Usagef("%s: %v", path, Bare(err))
		}
		defer file.Close()
		in, name = file, path
	}
	data, err = io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, name, Usagef("%s: %v", name, Bare(err))
	}
	if len(data) > maxFile {
		return nil, name, Usagef("%s: is larger than 1 MiB, which no such file is", name)
	}
	return data, name, nil
}

// ParseFile is what a file describes; "-" is standard input. Errors of parse, and
// of check, which may be nil, are told as those of the file.
func ParseFile[M any](path string, stdin io.Reader, parse func([]byte) (M, error), check func(M) error) (M, error) {
	data, name, err := ReadFile(path, stdin)
	if err != nil {
		var none M
		return none, err
	}
	parsed, err := parse(data)
	if err == nil && check != nil {
		err = check(parsed)
	}
	if err != nil {
		return parsed, Prefixed(name, err)
	}
	return parsed, nil
}

// Bare is err without the path of a file, for messages that begin with it.
func Bare(err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// CheckImage refuses a file in place of the image that --image is to name.
func CheckImage(image string) error { return CheckImageOf("image", image) }

// CheckImageOf is CheckImage for another flag.
func CheckImageOf(flag, image string) error {
	if info, err := os.Stat(image); err == nil && info.Mode().IsRegular() {
		return Usagef("--%s %s: that is a file; write oci-archive:%[2]s or docker-archive:%[2]s", flag, image)
	}
	return nil
}
