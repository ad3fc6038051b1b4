package kf

import (
	"maps"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
	"runnel/contract"
)

// resources are the flags that say what a task may have.
type resources struct{ cpu, memory, disk string }

// register adds the flags to cmd.
func (f *resources) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.cpu, "cpu-cores", "", "`amount` of CPU, such as 0.5 or 2; more if the memory asks for it")
	cmd.Flags().StringVarP(&f.memory, "memory-limit", "m", "", "`amount` of memory, such as 256M or 1G")
	cmd.Flags().StringVarP(&f.disk, "disk-quota", "k", "", "`amount` of disk, such as 512M or 2G, which is told in DISK_LIMIT")
}

// check refuses what is no amount.
func (f *resources) check() error {
	if f.cpu != "" {
		if cpu, err := contract.ParseCPU(f.cpu); err != nil || cpu <= 0 {
			return cli.Usagef("--cpu-cores %s: want a number such as 0.5 or 2", f.cpu)
		}
	}
	for _, amount := range []struct{ name, value string }{{"memory-limit", f.memory}, {"disk-quota", f.disk}} {
		if amount.value == "" {
			continue
		}
		if _, err := contract.ParseKfBytes(amount.value); err != nil {
			return cli.Usagef("--%s %s: want a number with M or G, such as 256M or 1G", amount.name, amount.value)
		}
	}
	return nil
}

// apply changes the limits of a job as the flags, which have been checked, say;
// what there is not yet gets its default.
func (f *resources) apply(job *runpb.Job) {
	k, t := container(job), job.GetTemplate()
	limits := k.GetResources().GetLimits()
	cpu, memory := contract.DefaultCPU, contract.KfMemory
	if n, err := contract.ParseCPU(limits["cpu"]); err == nil {
		cpu = n
	}
	if n, err := contract.ParseBytes(limits["memory"]); err == nil {
		memory = n
	}
	if n, err := contract.ParseCPU(f.cpu); err == nil {
		cpu = n
	}
	if n, err := contract.ParseKfBytes(f.memory); err == nil {
		memory = n
	}
	family.SetLimit(k, "cpu", contract.KfCPU(cpu, memory).String())
	family.SetLimit(k, "memory", memory.String())
	disk := diskOf(t.GetAnnotations())
	if n, err := contract.ParseKfBytes(f.disk); err == nil {
		disk = n.String()
	}
	t.Annotations = with(t.GetAnnotations(), contract.KfDisk, disk)
}

// diskOf is the disk quota that annotations tell.
func diskOf(annotations map[string]string) string {
	if disk := annotations[contract.KfDisk]; disk != "" {
		return disk
	}
	return contract.KfDiskQuota.String()
}

// with is a copy of m in which key has a value.
func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}
