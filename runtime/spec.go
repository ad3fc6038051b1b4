package runtime

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/runtime/shim"
)

// hostFacts are what the specification of a container depends on beside the
// instance itself; they do not change while a launcher lives.
type hostFacts struct {
	// cgroups is how cgroups are mounted, cgroupParent the path under which
	// instances get theirs.
	cgroups      *cgroups.Host
	cgroupParent string
	// noFile is the limit of open files that can be had.
	noFile uint64
	// productName is a file to be seen as the machine's product name; empty
	// where the host has no DMI.
	productName string
	// throttles are the directories, one for each CPU that has one, that tell when
	// the host was too hot.
	throttles []string
}

// defaultPath is for images that set none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// capabilities are those a container's root keeps: what docker grants by
// default. None lets it mount, change the network or load a module.
func capabilities() []string {
	return []string{
		"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
		"CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
		"CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
		"CAP_SETUID", "CAP_SYS_CHROOT",
	}
}

// ociSpec is the OCI runtime specification of an instance's container by its
// place. It is a function of its arguments alone. The root's path, the network
// namespace's path, the user's ids and the volumes are left to the shim, which
// alone knows them; the system-call filter is the same for all and has been
// defined there.
func ociSpec(s *Spec, n int, h *hostFacts) *specs.Spec {
	c := &s.Containers[n]
	caps := capabilities()
	return &specs.Spec{
		Version:  specs.Version,
		Hostname: hostname(s),
		Process: &specs.Process{
			Args:            argv(c),
			Env:             environ(c.Image.Config.Env, c.Env),
			Cwd:             workingDir(c),
			NoNewPrivileges: true,
			Capabilities:    &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
			Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: h.noFile, Hard: h.noFile}},
		},
		Mounts: mounts(c, h),
		Linux: &specs.Linux{
			CgroupsPath:   h.cgroupParent + "/" + containerGroup(s.ID, n, len(s.Containers)),
			Namespaces:    namespaces(),
			Resources:     resources(c, h),
			MaskedPaths:   slices.Concat(maskedPaths(), h.throttles),
			ReadonlyPaths: readonlyPaths(),
		},
	}
}

// resources are the container's limits, and no device beyond the handful that
// every container has, such as /dev/null: the runtime adds those.
func resources(c *Container, h *hostFacts) *specs.LinuxResources {
	r := c.Limits.Resources(h.cgroups)
	r.Devices = []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	return r
}

// instanceGroup is the cgroup above those of several containers, bounded by the
// sum of their memory and weighing as much as they do together; nil for one alone.
// Its containers may have more CPU for a while than their limits say.
func instanceGroup(s *Spec, h *hostFacts) *shim.Group {
	if len(s.Containers) == 1 {
		return nil
	}
	var sum cgroups.Limits
	for n := range s.Containers {
		l := &s.Containers[n].Limits
		sum.CPU += l.CPU
		sum.Memory += l.Memory
	}
	if slices.ContainsFunc(s.Containers, func(c Container) bool { return c.Limits.Memory <= 0 }) {
		sum.Memory = 0 // without all of them there is no sum
	}
	r := sum.Resources(h.cgroups)
	if r.CPU != nil {
		r.CPU.Quota, r.CPU.Period = nil, nil
	}
	return &shim.Group{Path: h.cgroupParent + "/" + s.ID, Resources: r}
}

// volumeMounts are a container's, naming volumes by their place.
func volumeMounts(s *Spec, c *Container) []shim.Mount {
	var out []shim.Mount
	for _, m := range c.Mounts {
		at := slices.IndexFunc(s.Volumes, func(v Volume) bool { return v.Name == m.Volume })
		out = append(out, shim.Mount{Volume: at, Path: m.Path, SubPath: m.SubPath})
	}
	return out
}

// argv combines the image's entrypoint and the caller's as Cloud Run does. No
// shell sees it and nothing in it is expanded.
func argv(c *Container) []string {
	command, args := c.Command, c.Args
	if len(command) == 0 {
		command = c.Image.Config.Entrypoint
		if len(args) == 0 {
			args = c.Image.Config.Cmd
		}
	}
	return slices.Concat(command, args)
}

// workingDir is the caller's, the image's or the root.
func workingDir(c *Container) string {
	for _, dir := range []string{c.WorkingDir, c.Image.Config.WorkingDir} {
		if dir != "" {
			if !strings.HasPrefix(dir, "/") {
				return "/" + dir
			}
			return dir
		}
	}
	return "/"
}

func hostname(s *Spec) string {
	if s.Hostname != "" {
		return s.Hostname
	}
	return s.ID
}

// environ merges environments, later entries winning over earlier ones of the
// same name; the order of first mention is kept. Entries without a name are
// left out.
func environ(lists ...[]string) []string {
	var out []string
	at := map[string]int{}
	for _, e := range slices.Concat(append([][]string{{defaultPath}}, lists...)...) {
		name, _, ok := strings.Cut(e, "=")
		if !ok || name == "" {
			continue
		}
		if i, seen := at[name]; seen {
			out[i] = e
			continue
		}
		at[name] = len(out)
		out = append(out, e)
	}
	return out
}

// addressEnv are the variables of c that hold an address.
func addressEnv(c *Container, address string) (env []string) {
	for _, v := range c.AddressEnv {
		name, after, _ := strings.Cut(v, "=")
		env = append(env, name+"="+address+after)
	}
	return env
}

func namespaces() []specs.LinuxNamespace {
	return []specs.LinuxNamespace{
		{Type: specs.PIDNamespace},
		{Type: specs.MountNamespace},
		{Type: specs.IPCNamespace},
		{Type: specs.UTSNamespace},
		{Type: specs.NetworkNamespace},
		{Type: specs.CgroupNamespace},
	}
}

// mounts are the kernel's file systems that every container has; nothing of
// the host's is among them but the product name.
func mounts(c *Container, h *hostFacts) []specs.Mount {
	shm := "size=" + strconv.FormatInt(int64(c.Limits.Memory), 10)
	out := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", shm}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}},
	}
	if h.productName != "" {
		out = append(out, specs.Mount{
			Destination: "/sys/class/dmi/id/product_name", Type: "bind", Source: h.productName,
			Options: []string{"bind", "ro", "nosuid", "noexec", "nodev"},
		})
	}
	return out
}

// maskedPaths are hidden, readonlyPaths cannot be written: the parts of /proc
// and /sys that tell of, or change, the whole host.
func maskedPaths() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore",
		"/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
		"/sys/firmware",
	}
}

func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// files are what each instance finds in its /etc.
func files(s *Spec, address string) []shim.File {
	name := hostname(s)
	return []shim.File{
		{Path: "/etc/hostname", Content: name + "\n"},
		{Path: "/etc/resolv.conf", Content: "nameserver " + contract.MetadataAddress + "\n"},
		{Path: "/etc/hosts", Content: "127.0.0.1\tlocalhost\n" +
			contract.MetadataAddress + "\t" + contract.MetadataHost + " metadata\n" +
			address + "\t" + name + "\n"},
	}
}
