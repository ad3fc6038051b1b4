package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"runnel/integration/rig"
)

const (
	// debianCache keeps Debian's packages between runs, so that only the first
	// needs a network.
	debianCache = "../.cache/debian"
	// debianWanted are the packages that the image is to hold; apt adds what
	// they need.
	debianWanted = "python3 nginx dash coreutils base-files"
)

// debianPackages downloads the packages, unless an earlier run has.
func debianPackages() ([]string, error) {
	done := filepath.Join(debianCache, "complete")
	if text, err := os.ReadFile(done); err != nil || string(text) != debianWanted {
		if err := downloadPackages(); err != nil {
			return nil, err
		}
		if err := os.WriteFile(done, []byte(debianWanted), 0o644); err != nil {
			return nil, err
		}
	}
	debs, err := filepath.Glob(filepath.Join(debianCache, "*.deb"))
	if err == nil && len(debs) < 10 {
		err = fmt.Errorf("%d packages only in %s", len(debs), debianCache)
	}
	return debs, err
}

// downloadPackages has apt believe that nothing is installed, so that it gets
// everything that is needed, and installs nothing.
func downloadPackages() error {
	dir, err := filepath.Abs(debianCache)
	if err != nil {
		return err
	}
	status := filepath.Join(dir, "status")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "partial"), 0o755), os.WriteFile(status, nil, 0o644)); err != nil {
		return err
	}
	args := append([]string{"apt-get", "install", "--download-only", "--no-install-recommends", "--yes", "--quiet",
		"-o", "Dir::State::status=" + status, "-o", "Dir::Cache::archives=" + dir, "-o", "APT::Sandbox::User=root",
	}, strings.Fields(debianWanted)...)
	_, err = outside(args...)
	return err
}

// outside executes a command in the namespaces of the process that started the
// tests: there is a network, and the true /var/lib.
func outside(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	args = append([]string{"--target", fmt.Sprint(os.Getppid()), "--mount", "--net", "--wd=" + wd(), "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", args[6:], err, out)
	}
	return string(out), nil
}

func wd() string {
	dir, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return dir
}

// unpackPackages puts the files of python's packages into python, the others'
// into base.
func unpackPackages(h *rig.Host, debs []string, base, python string) {
	h.Helper()
	for _, deb := range debs {
		to := base
		if strings.Contains(filepath.Base(deb), "python3") {
			to = python
		}
		must(h, exec.Command("dpkg-deb", "--extract", deb, to))
	}
	for _, dir := range []string{base, python} {
		slim(h, dir)
	}
}

// slim leaves out what nobody reads in an image, as Debian's own slim one does.
func slim(h *rig.Host, dir string) {
	h.Helper()
	for _, waste := range []string{"usr/share/doc", "usr/share/man", "usr/share/locale"} {
		if err := os.RemoveAll(filepath.Join(dir, waste)); err != nil {
			h.Fatal(err)
		}
	}
	// A temporary directory is not for everybody, but a root is.
	if err := os.Chmod(dir, 0o755); err != nil {
		h.Fatal(err)
	}
}

// copyInstalled copies what this host has installed of the wanted packages and
// all that they depend on.
func copyInstalled(h *rig.Host, to string) {
	h.Helper()
	script := `deps=$(apt-cache depends --recurse --installed --important ` + debianWanted + ` | grep '^[a-z]' | sort -u)
		dpkg -L $deps 2>/dev/null | sort -u`
	files, err := outside("sh", "-c", script)
	if err != nil {
		h.Fatalf("neither downloaded nor installed: %v", err)
	}
	list := filepath.Join(h.TempDir(), "files")
	wanted := slices.DeleteFunc(strings.Split(files, "\n"), func(f string) bool {
		info, err := os.Stat(f)
		return f == "" || f == "/." || err != nil || info.IsDir()
	})
	if err := os.WriteFile(list, []byte(strings.Join(wanted, "\n")+"\n"), 0o644); err != nil {
		h.Fatal(err)
	}
	must(h, exec.Command("sh", "-c", "tar -C / -c -T "+list+" 2>/dev/null | tar -C "+to+" -x"))
	// On this host /bin and the like may be links into /usr.
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if target, err := os.Readlink("/" + name); err == nil {
			must(h, exec.Command("sh", "-c", fmt.Sprintf("cd %s && mkdir -p %s && { [ ! -d %s ] || cp -a %s/. %s/ && rm -rf %s; } && ln -s %s %s",
				to, target, name, name, target, name, target, name)))
		}
	}
	slim(h, to)
}

// must runs a command of the host's.
func must(h *rig.Host, cmd *exec.Cmd) {
	h.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		h.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}
