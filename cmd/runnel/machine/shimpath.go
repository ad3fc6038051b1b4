package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// shimName is the file name of the program that keeps the containers.
const shimName = "runnel-shim"

// FindShim returns the path of the shim: beside this program, in
// ../libexec/runnel, or on the PATH.
func FindShim() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot tell where this program is: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", fmt.Errorf("cannot tell where this program is: %w", err)
	}
	dir := filepath.Dir(self)
	for _, candidate := range []string{filepath.Join(dir, shimName), filepath.Join(dir, "../libexec/runnel", shimName)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(shimName)
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, err
	}
	return "", fmt.Errorf("cannot find %s: it belongs beside %s", shimName, self)
}
