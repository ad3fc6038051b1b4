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

	"runnel/internal/vm/wire"
)

// errSilent says that the guest has said nothing for too long. It comes up in
// about five seconds without hardware help, and then beats.
var errSilent = errors.New("the guest is silent")

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
// the guest program on the second, which is QEMU's standard output. The guest
// leaves out the first suites, as many as skip says. What it writes to the disk
// is lost when it ends, so that the next boot finds the disk as it was made.
func qemuArgs(c config, m machine, accel string, skip int) []string {
	if accel == "tcg" {
		// With a thread for each processor, emulated guests freeze now and then:
		// one processor waits for the other, which faults for ever at the same
		// instruction. One thread for both costs about a tenth more time.
		accel = "tcg,thread=single"
	}
	return []string{
		"-M", "q35", "-accel", accel, "-cpu", "max", "-smp", "2", "-m", strconv.Itoa(c.memory),
		"-display", "none", "-monitor", "none", "-net", "none", "-no-reboot",
		"-serial", "file:" + m.console, "-serial", "stdio",
		"-drive", "if=virtio,format=raw,cache=unsafe,snapshot=on,file=" + m.disk,
		"-kernel", m.kernel, "-initrd", m.initramfs,
		// A kernel that hangs says where, and ends the machine at once.
		"-append", "console=ttyS0 panic=-1 softlockup_panic=1 watchdog_thresh=60 " + wire.SkipArg + strconv.Itoa(skip),
	}
}

// boot runs the machine to its end and adds to r what its tests say, but those
// that r has are left out; all of it is also written to the file named log. The
// error tells why the machine ended before it was done.
func boot(ctx context.Context, c config, m machine, accel, log string, r *report) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("it has run for %s, see -timeout", c.limit))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	file, err := os.Create(log)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.RemoveAll(m.console); err != nil { // an earlier run's
		return err
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", qemuArgs(c, m, accel, r.ended())...)
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	quiet := time.AfterFunc(c.silence, func() { stop(fmt.Errorf("%w, for %s", errSilent, c.silence)) })
	defer quiet.Stop()
	readErr := readLines(io.TeeReader(out, file), func(line string) {
		quiet.Reset(c.silence)
		r.line(line)
	})
	waitErr := cmd.Wait()
	switch {
	case r.done:
		return nil
	case r.trouble != "":
		return fmt.Errorf("the guest gave up: %s", r.trouble)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case waitErr != nil:
		return fmt.Errorf("qemu: %w\n%s", waitErr, stderr.String())
	}
	return errors.Join(readErr, errors.New("it stopped before its tests were done"))
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
