package contract

import (
	"slices"
	"strings"
	"testing"
)

// contract: KF-13
func TestKfEnviron(t *testing.T) {
	t.Parallel()
	const services = `{"pg":[{"name":"db","credentials":{"uri":"postgres://h/d"}}],"any":[{"credentials":"text"}]}`
	e := KfEnv{App: "etl", AppID: "a", Space: "local", Instance: "i", Memory: 512 * MiB, Disk: GiB, Services: services}
	want := []string{
		"CF_INSTANCE_GUID=i", "INSTANCE_GUID=i", "CF_INSTANCE_INDEX=0", "INSTANCE_INDEX=0", "CF_INSTANCE_PORT=8080",
		"PORT=8080", "VCAP_APP_PORT=8080", "MEMORY_LIMIT=512M", "MEMORY_LIMIT_IN_MB=512", "DISK_LIMIT=1024", "LANG=en_US.UTF-8",
		`VCAP_APPLICATION={"application_id":"a","application_name":"etl","application_uris":[],"limits":{"disk":1024,"mem":512},` +
			`"name":"etl","process_id":"i","process_type":"task","space_name":"local","uris":[]}`,
		"VCAP_SERVICES=" + services, "DATABASE_URL=postgres://h/d",
	}
	if got := e.Environ(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	e.Services = ""
	if got := e.Environ(); got[len(got)-1] != "VCAP_SERVICES={}" {
		t.Errorf("without a service: %s", got[len(got)-1])
	}
}

func TestParseKfBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Bytes{
		"256M": 256 * MiB, "256MB": 256 * MiB, "1G": GiB, "512Mi": 512 * MiB, "1.5G": 3 * GiB / 2, "64K": 64 * KiB,
		"": 0, "M": 0, "-1G": 0, "0": 0, "lots": 0,
	} {
		if got, err := ParseKfBytes(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestKfCPUGoesWithTheMemory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cpu    MilliCPU
		memory Bytes
		want   MilliCPU
	}{
		{100, 256 * MiB, 100}, {10, 256 * MiB, 80}, {100, GiB, 500}, {500, 2 * GiB, 1000},
		{1500, 2 * GiB, 2000}, {1000, 5 * GiB, 2000}, {3000, 4 * GiB, 4000}, {100, 32 * GiB, 8000},
		// What cannot be had is left to be refused.
		{9000, GiB, 9000}, {1000, 64 * MiB, 1000}, {4000, GiB, 4000},
	} {
		if got := KfCPU(tt.cpu, tt.memory); got != tt.want {
			t.Errorf("%v with %v: %v, want %v", tt.cpu, tt.memory, got, tt.want)
		}
	}
}
