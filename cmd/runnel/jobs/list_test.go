package jobs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
)

// contract: CLI-7
func TestListColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Instances.Play(func(s rruntime.Spec) controltest.Script {
		if slices.Contains(s.Containers[0].Env, "CLOUD_RUN_TASK_INDEX=1") {
			return controltest.Script{Exit: contract.Exit{Code: 1}}
		}
		return controltest.Script{}
	})
	w.must("create etl --image busybox --tasks 2 --max-retries 1")
	w.must("create hello --image busybox --region europe-west1")
	if got := w.do("execute etl --wait"); got.Code != 1 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	w.must("execute hello --region europe-west1 --wait")
	for _, c := range []struct{ line, want string }{
		{"list", `   JOB    REGION        LAST RUN AT  CREATED  CREATED BY
+  etl    us-central1   <time>       <time>   USER
+  hello  europe-west1  <time>       <time>   USER
`},
		{"list --region us-central1 --format value(name)", "etl\n"},
		{"executions list", `   JOB    EXECUTION    REGION        RUNNING  COMPLETE  CREATED  RUN BY
+  hello  hello-xxxxx  europe-west1  0        1 / 1     <time>   USER
X  etl    etl-xxxxx    us-central1   0        1 / 2     <time>   USER
`},
		{"executions list --job etl --format value(job_name,status.failedCount)", "etl\t1\n"},
		{"executions tasks list --execution " + w.latest("etl"), `   INDEX  STATE      TASK             STARTED  COMPLETED  RETRIES
+  0      Succeeded  etl-xxxxx-task0  <time>   <time>     0
X  1      Failed     etl-xxxxx-task1  <time>   <time>     1
`},
		{"executions tasks list --failed --format value(index,retries) --execution " + w.latest("etl"), "1\t1\n"},
		{"executions tasks list --no-started --format json --execution " + w.latest("etl"), "[]\n"},
		{"list --uri --filter name:he*", "projects/local/locations/europe-west1/jobs/hello\n"},
		{"list --sort-by ~name --limit 1 --format csv(name,region)", "name,region\nhello,europe-west1\n"},
	} {
		got := columns(w.must(c.line))
		if got != columns(c.want) {
			t.Errorf("runnel jobs %s\n%swant\n%s", c.line, got, columns(c.want))
		}
	}
	if got := w.do("list --filter name=nosuch"); got.Code != 0 || got.Stdout != "" || got.Stderr != "Listed 0 items.\n" {
		t.Errorf("nothing to list: %+v", got)
	}
}

// columns makes tables comparable that differ in names and times: gaps between
// columns become one tab.
func columns(s string) string {
	s = regexp.MustCompile(`(<time> +)\S+(\n|$)`).ReplaceAllString(steady(s), "${1}USER$2")
	return regexp.MustCompile(`  +`).ReplaceAllString(s, "\t")
}

// Pages are followed to their end.
func TestListReadsEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("etl%d", i)
		w.must("create " + name + " --image busybox --async")
		want = append(want, name)
	}
	got := strings.Fields(w.must("list --page-size 2 --format value(name)"))
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
}
