package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// helloLimit is how long the guest may take to say hello: about five seconds
// are usual without hardware help.
const helloLimit = 90 * time.Second

// accelerators reads the flag, or chooses: KVM where the processor says that
// it can and the device is ours to open, and software emulation otherwise. A
// /dev/kvm alone proves nothing: nested hosts offer one that cannot boot Linux.
func accelerators(flag string) []string {
	if flag != "" {
		return strings.Split(flag, ",")
	}
	dev, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return []string{"tcg"}
	}
	dev.Close()
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !hasVirtualization(string(info)) {
		return []string{"tcg"}
	}
	return []string{"kvm", "tcg"}
}

// hasVirtualization looks for the processor's flags in /proc/cpuinfo.
func hasVirtualization(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		if name, flags, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			for f := range strings.FieldsSeq(flags) {
				if f == "vmx" || f == "svm" {
					return true
				}
			}
		}
	}
	return false
}

// qemuArgs describes the machine: the kernel talks on the first serial line,
// the guest program on the second, which is QEMU's standard output.
func qemuArgs(c config, m machine, accel string) []string {
	if accel == "tcg" {
		accel = "tcg,thread=multi"
	}
	return []string{
		"-M", "q35", "-accel", accel, "-cpu", "max", "-smp", "2", "-m", strconv.Itoa(c.memory),
		"-display", "none", "-monitor", "none", "-net", "none", "-no-reboot",
		"-serial", "file:" + m.console, "-serial", "stdio",
		"-drive", "if=virtio,format=raw,cache=unsafe,file=" + m.disk,
		"-kernel", m.kernel, "-initrd", m.initramfs,
		// A kernel that hangs says where, and ends the machine at once.
		"-append", "console=ttyS0 panic=-1 softlockup_panic=1 watchdog_thresh=60",
	}
}

// boot runs the machine to its end and reads what its tests say; all of it is
// also written to the file named log. The error tells why the machine ended
// before it was done.
func boot(ctx context.Context, c config, m machine, accel, log string) (*report, error) {
	r := newReport(c.verbose)
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("it has run for %s, see -timeout", c.limit))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	file, err := os.Create(log)
	if err != nil {
		return r, err
	}
	defer file.Close()
	if err := os.RemoveAll(m.console); err != nil { // an earlier run's
		return r, err
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", qemuArgs(c, m, accel)...)
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	hello := time.AfterFunc(helloLimit, func() { stop(fmt.Errorf("the guest has not come up within %s", helloLimit)) })
	defer hello.Stop()
	readErr := readLines(io.TeeReader(out, file), func(line string) {
		r.line(line)
		if r.up {
			hello.Stop()
		}
	})
	waitErr := cmd.Wait()
	switch {
	case r.done:
		return r, nil
	case r.trouble != "":
		return r, fmt.Errorf("the guest gave up: %s", r.trouble)
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case waitErr != nil:
		return r, fmt.Errorf("qemu: %w\n%s", waitErr, stderr.String())
	}
	return r, errors.Join(readErr, errors.New("it stopped before its tests were done"))
}

// readLines hands out line by line, however long they are.
func readLines(r io.Reader, each func(string)) error {
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadString('\n')
		if line != "" {
			each(strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
