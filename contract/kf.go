package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What marks the jobs and executions that Kf's commands are about. An app is a
// job whose labels name itself; a Kf job is a job whose labels name its app and
// itself. Tasks are executions, which have the labels of their template.
const (
	// KfAppLabel holds the app's name.
	KfAppLabel = "kf-app"
	// KfJobLabel holds the name of a Kf job, and is on nothing else.
	KfJobLabel = "kf-job"
	// KfTaskLabel is the number of a task, which each app counts from 1.
	KfTaskLabel = "kf-task-id"

	// KfDisplayName is the annotation that holds what a person calls a task.
	KfDisplayName = "kf-display-name"
	// KfCommand is the annotation that holds the start command.
	KfCommand = "kf-command"
	// KfDisk is the annotation that holds the disk quota, such as 1Gi.
	KfDisk = "kf-disk"
)

// Defaults of apps.
// Source: kf, "Tasks overview", retention policy; kf operator defaults.
const (
	// KfKeptTasks is how many ended tasks are kept of each app.
	KfKeptTasks = 500
	// KfMemory and KfDiskQuota are those of apps that name none.
	KfMemory    = GiB
	KfDiskQuota = GiB
	// KfPort is what PORT says, although nobody connects to a task.
	KfPort = 8080
	// KfPlaceholderCron is the schedule of a job that has none: the 30th of
	// February. Source: kf create-job.
	KfPlaceholderCron = "0 0 30 2 *"
)

// KfEndless reports whether a task with the timeout d may go on for as long as
// it likes: a task of an app has no timeout by default, and Cloud Run's longest
// says so. Source: kf, taskDefaultTimeoutMinutes, -1.
func KfEndless(app string, d time.Duration) bool { return app != "" && d >= MaxTaskTimeout }

// ParseKfBytes reads an amount as Cloud Foundry writes it: K, M, G and T, with
// or without a B behind, are powers of 1024.
func ParseKfBytes(s string) (Bytes, error) {
	text := strings.TrimSpace(s)
	unit := strings.TrimSuffix(text, "B")
	if unit != "" && strings.ContainsRune("KMGT", rune(unit[len(unit)-1])) {
		text = unit + "i"
	}
	b, err := ParseBytes(text)
	if err != nil || b <= 0 {
		return 0, fmt.Errorf("%q is not an amount: want a number with M or G, such as 256M or 1G", s)
	}
	return b, nil
}

// KfCPU is the least amount of CPU that is offered, is not below cpu, and may be
// paired with memory. Kf's amount is what a task is sure to get, not its bound,
// so more of it keeps what was asked for. Where there is none it is cpu.
func KfCPU(cpu MilliCPU, memory Bytes) MilliCPU {
	for _, offered := range []MilliCPU{max(cpu, MinCPU), 500, 1000, 2000, 4000, 6000, 8000} {
		if offered >= cpu && CheckCPU(offered) == nil && CheckMemory(offered, memory) == nil {
			return offered
		}
	}
	return cpu
}

// KfEnv is a task of an app, as its container sees it.
type KfEnv struct {
	// App and Space are names, AppID and Instance UUIDs.
	App, AppID, Space, Instance string
	// Memory and Disk are the limits.
	Memory, Disk Bytes
	// Services is what VCAP_SERVICES says, empty for no service.
	Services string
}

// Environ lists the variables that Kf sets, as NAME=value, in a fixed order.
// They win over the app's, as these win over the space's. The instance's address
// is not among them: see KfAddressEnv.
// Source: kf, "App runtime", environment variables.
func (e KfEnv) Environ() []string {
	port, memory, disk := strconv.Itoa(KfPort), mebibytes(e.Memory), mebibytes(e.Disk)
	env := []string{
		"CF_INSTANCE_GUID=" + e.Instance,
		"INSTANCE_GUID=" + e.Instance,
		"CF_INSTANCE_INDEX=0",
		"INSTANCE_INDEX=0",
		"CF_INSTANCE_PORT=" + port,
		"PORT=" + port,
		"VCAP_APP_PORT=" + port,
		"MEMORY_LIMIT=" + memory + "M",
		"MEMORY_LIMIT_IN_MB=" + memory,
		"DISK_LIMIT=" + disk,
		"LANG=en_US.UTF-8",
		"VCAP_APPLICATION=" + e.application(),
		"VCAP_SERVICES=" + cmp.Or(e.Services, "{}"),
	}
	if uri := firstURI(e.Services); uri != "" {
		env = append(env, "DATABASE_URL="+uri)
	}
	return env
}

// KfAddressEnv are the variables that hold the instance's address, as NAME= and
// what follows it. Source: the same.
func KfAddressEnv() []string {
	return []string{
		"CF_INSTANCE_IP=", "CF_INSTANCE_INTERNAL_IP=", "VCAP_APP_HOST=",
		"CF_INSTANCE_ADDR=:" + strconv.Itoa(KfPort),
	}
}

func mebibytes(b Bytes) string { return strconv.FormatInt(int64(b/MiB), 10) }

// application is VCAP_APPLICATION.
func (e KfEnv) application() string {
	text, _ := json.Marshal(map[string]any{ // never fails
		"application_id":   e.AppID,
		"application_name": e.App,
		"application_uris": []string{},
		"limits":           map[string]int64{"disk": int64(e.Disk / MiB), "mem": int64(e.Memory / MiB)},
		"name":             e.App,
		"process_id":       e.Instance,
		"process_type":     "task",
		"space_name":       e.Space,
		"uris":             []string{},
	})
	return string(text)
}

// firstURI is the first credential called uri among the services of
// VCAP_SERVICES, by their labels.
func firstURI(services string) string {
	var all map[string][]struct {
		Credentials json.RawMessage `json:"credentials"`
	}
	if json.Unmarshal([]byte(services), &all) != nil {
		return ""
	}
	for _, label := range slices.Sorted(maps.Keys(all)) {
		for _, service := range all[label] {
			var c struct {
				URI string `json:"uri"`
			}
			// Credentials may be anything at all.
			if json.Unmarshal(service.Credentials, &c) == nil && c.URI != "" {
				return c.URI
			}
		}
	}
	return ""
}
