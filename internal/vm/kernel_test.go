package main

import (
	"slices"
	"strings"
	"testing"
)

const modulesDep = `kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
`

func TestOrderModulesPutsDependenciesFirst(t *testing.T) {
	t.Parallel()
	got, err := orderModules(modulesDep, "kernel/fs/ext4/ext4.ko\n", []string{"virtio_pci", "ext4", "virtio_blk"})
	want := []string{
		"kernel/drivers/virtio/virtio_ring.ko",
		"kernel/drivers/virtio/virtio.ko",
		"kernel/drivers/virtio/virtio_pci.ko",
		"kernel/drivers/block/virtio_blk.ko.xz",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestOrderModulesNamesTheMissingOne(t *testing.T) {
	t.Parallel()
	if _, err := orderModules(modulesDep, "", []string{"ext4"}); err == nil || !strings.Contains(err.Error(), "ext4") {
		t.Errorf("got %v, want an error that names ext4", err)
	}
}

func TestFindKernelWantsExactlyOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := findKernel(dir); err == nil {
		t.Error("found a kernel in an empty directory")
	}
	if err := writeFile(dir+"/boot/vmlinuz-6.1.0-cloud", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if k, err := findKernel(dir); err != nil || k.version != "6.1.0-cloud" {
		t.Errorf("got version %q, %v", k.version, err)
	}
	if err := writeFile(dir+"/boot/vmlinuz-6.2.0-cloud", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := findKernel(dir); err == nil {
		t.Error("chose one of two kernels")
	}
}
