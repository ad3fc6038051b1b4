package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kernelPackage is Debian's name for its newest kernel for virtual machines; it
// is empty and depends on the one package that holds a kernel.
const kernelPackage = "linux-image-cloud-amd64"

// earlyModules are what the guest needs to reach its disk. Everything else is
// loaded on demand, as on any host.
var earlyModules = []string{"virtio_pci", "virtio_blk", "crc32c_generic", "ext4"}

// kernel is an unpacked kernel package.
type kernel struct {
	// version is what uname -r says.
	version string
	// image is the bootable file, tree the directory with lib/modules in it.
	image, tree string
}

// fetchKernel unpacks Debian's cloud kernel into dir, or finds it there.
func fetchKernel(ctx context.Context, dir string) (kernel, error) {
	if k, err := findKernel(dir); err == nil {
		return k, nil
	}
	fmt.Println("fetching", kernelPackage)
	fresh := dir + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(dir), os.MkdirAll(fresh, 0o755)); err != nil {
		return kernel{}, err
	}
	name, err := kernelDependency(ctx)
	if err != nil {
		return kernel{}, err
	}
	if err := command(ctx, fresh, "apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name); err != nil {
		return kernel{}, err
	}
	debs, err := filepath.Glob(filepath.Join(fresh, "*.deb"))
	if err != nil || len(debs) != 1 {
		return kernel{}, fmt.Errorf("apt-get download %s left %d packages", name, len(debs))
	}
	if err := command(ctx, "", "dpkg", "-x", debs[0], fresh); err != nil {
		return kernel{}, err
	}
	k, err := findKernel(fresh)
	if err != nil {
		return kernel{}, err
	}
	if err := command(ctx, "", "depmod", "-b", fresh, k.version); err != nil {
		return kernel{}, err
	}
	if err := errors.Join(os.Remove(debs[0]), os.Rename(fresh, dir)); err != nil {
		return kernel{}, err
	}
	return findKernel(dir)
}

// kernelDependency asks apt for the package that holds the kernel.
func kernelDependency(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "depends", kernelPackage).Output()
	if err != nil {
		return "", fmt.Errorf("ask apt for %s (a Debian host and one apt-get update are needed): %w", kernelPackage, err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(field, "linux-image-") && field != kernelPackage {
			return field, nil
		}
	}
	return "", fmt.Errorf("apt knows no dependency of %s", kernelPackage)
}

// findKernel looks for the kernel unpacked in dir.
func findKernel(dir string) (kernel, error) {
	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil {
		return kernel{}, err
	}
	if len(images) != 1 {
		return kernel{}, fmt.Errorf("%s holds %d kernels, want 1", dir, len(images))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	return kernel{version: version, image: images[0], tree: dir}, nil
}

// moduleOrder lists the files of names and of all they depend on, relative to
// the module directory, each after what it needs.
func (k kernel) moduleOrder(names []string) ([]string, error) {
	dep, err := os.ReadFile(filepath.Join(k.moduleDir(), "modules.dep"))
	if err != nil {
		return nil, err
	}
	builtin, err := os.ReadFile(filepath.Join(k.moduleDir(), "modules.builtin"))
	if err != nil {
		return nil, err
	}
	return orderModules(string(dep), string(builtin), names)
}

func (k kernel) moduleDir() string { return filepath.Join(k.tree, "lib/modules", k.version) }

// orderModules reads modules.dep, whose lines name a file and what it depends
// on, the deepest dependency last. What modules.builtin names needs no file.
func orderModules(dep, builtin string, names []string) ([]string, error) {
	needs, files := map[string][]string{}, map[string]string{}
	for file := range strings.FieldsSeq(builtin) {
		files[moduleName(file)] = ""
	}
	for line := range strings.Lines(dep) {
		file, rest, _ := strings.Cut(line, ":")
		needs[file] = strings.Fields(rest)
		files[moduleName(file)] = file
	}
	var order []string
	seen := map[string]bool{}
	add := func(file string) {
		if !seen[file] {
			seen[file] = true
			order = append(order, file)
		}
	}
	for _, name := range names {
		file, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("the kernel has no module %s", name)
		}
		for i := len(needs[file]) - 1; i >= 0; i-- {
			add(needs[file][i])
		}
		if file != "" {
			add(file)
		}
	}
	return order, nil
}

// moduleName is the name of the module in file, compressed or not.
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return name
}

// command runs a program in dir to its end; what it printed is in the error.
func command(ctx context.Context, dir string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
