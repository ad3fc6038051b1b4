package scheduler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// kfJob is the job of an app.
func kfJob(timeout time.Duration) *runpb.Job {
	job := testJob(1, 1, 0, timeout)
	job.Template.Labels = map[string]string{contract.KfAppLabel: "migrate"}
	return job
}

// contract: KF-12
func TestTaskOfAnAppHasNoTimeoutByDefault(t *testing.T) {
	for _, tt := range []struct {
		name string
		job  *runpb.Job
		want string
	}{
		{"the longest", kfJob(contract.MaxTaskTimeout), "succeeded 1 failed 0 cancelled 0 retried 0"},
		{"one of its own", kfJob(time.Hour), "succeeded 0 failed 1 cancelled 0 retried 0"},
		{"a job's longest", testJob(1, 1, 0, contract.MaxTaskTimeout), "succeeded 0 failed 1 cancelled 0 retried 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Config{}, always(script{runs: 2 * contract.MaxTaskTimeout}), func(t *testing.T, s *Scheduler, _ *host) {
				_, status := execute(t, s, tt.job)
				check(t, status, tt.want)
			})
		})
	}
}

// contract: KF-13
func TestTaskOfAnAppSeesKfsEnvironment(t *testing.T) {
	t.Parallel()
	job := kfJob(time.Minute)
	job.Template.Annotations = map[string]string{contract.KfDisk: "2Gi"}
	container := job.Template.Template.Containers[0]
	for name, value := range map[string]string{"LANG": "C", "VCAP_SERVICES": `{"pg":[{"credentials":{"uri":"u"}}]}`, "A": "1"} {
		container.Env = append(container.Env, &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: value}})
	}
	p := planFor(t, job)
	main := p.attempt(0, 0).Containers[0]
	last := map[string]string{}
	for _, v := range main.Env {
		name, value, _ := strings.Cut(v, "=")
		last[name] = value
	}
	for name, want := range map[string]string{
		"A": "1", "LANG": "en_US.UTF-8", "DISK_LIMIT": "2048", "MEMORY_LIMIT": "512M", "DATABASE_URL": "u",
		"INSTANCE_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1", "INSTANCE_GUID": last["CF_INSTANCE_GUID"],
	} {
		if last[name] != want || want == "" {
			t.Errorf("%s=%s, want %s", name, last[name], want)
		}
	}
	if !slices.Equal(main.AddressEnv, contract.KfAddressEnv()) {
		t.Errorf("address: %v", main.AddressEnv)
	}
	if again := p.attempt(0, 0).Containers[0]; !slices.Equal(again.Env, main.Env) {
		t.Error("another time it is another")
	}
	if next := p.attempt(0, 1).Containers[0]; slices.Equal(next.Env, main.Env) {
		t.Error("the next attempt has the same instance")
	}
}
