package contract

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// contract: RT-8
func TestRT8UsersAreNamesOrNumbersWithTheirGroups(t *testing.T) {
	d := daemon(t)
	accounts := imagetest.Layer{Entries: []imagetest.Entry{
		imagetest.File("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n", 0o644),
		imagetest.File("etc/group", "root:x:0:\napp:x:1000:\nstaff:x:50:app\naudio:x:63:app,other\nother:x:70:other\n", 0o644),
	}}
	for i, c := range []struct{ user, want string }{
		{"app", "1000 1000 1000 50 63"}, {"1000", "1000 1000 1000 50 63"}, {"app:staff", "1000 50 50"},
		{"1234:4321", "1234 4321 4321"}, {"1234", "1234 0 0"}, {"0:other", "0 70 70"},
	} {
		image := d.Host.Build(imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(t), accounts},
			Config: imagetest.Config{Entrypoint: []string{"/bin/sh", "-c", "echo $(id -u) $(id -g) $(id -G)"}, Env: rig.ShellConfig().Env, User: c.user},
		})
		if got := outputOf(d, nameOf(t, fmt.Sprint(i)), image); got != c.want+"\n" {
			t.Errorf("user %s is %q, want %q", c.user, got, c.want)
		}
	}
}

// contract: RT-9
func TestRT9ProgramsStartInTheWorkingDirectory(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), d.Host.InsideLayer()},
		Config: imagetest.Config{Entrypoint: []string{"/inside"}, WorkingDir: "/not/there/yet"},
	})
	for i, c := range []struct{ callers, want string }{{"", "/not/there/yet"}, {"/nor/this", "/nor/this"}, {"/tmp", "/tmp"}} {
		k := limited("0.2", "128Mi")
		k.Image, k.WorkingDir, k.Args = image, c.callers, []string{"report", "only=start"}
		var r look.Report
		taskOf(t, d, nameOf(t, fmt.Sprint(i)), k, &r)
		if r.Start.Dir != c.want {
			t.Errorf("it starts in %s, want %s", r.Start.Dir, c.want)
		}
	}
	if got := taskSees(t, d).Start.Dir; got != "/" {
		t.Errorf("without one it starts in %s", got)
	}
}

// contract: RT-10
func TestRT10NamespacesAreTheContainersOwn(t *testing.T) {
	d := daemon(t)
	// The two need not have been there at the same time: the kernel gives the
	// number of a namespace that is gone to another.
	task, service := taskSees(t, d), serviceSees(t, d)
	for _, kind := range []string{"mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		ours, err := os.Readlink("/proc/thread-self/ns/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := task.Namespaces[kind], service.Namespaces[kind]; a == "" || b == "" || a == ours || b == ours {
			t.Errorf("the namespaces are %s of the task, %s of the service and %s here", a, b, ours)
		}
	}
	here, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range bothSee(t, d) {
		for _, m := range r.Mounts {
			if m.Shared != "" {
				t.Errorf("a %s shares its mount %+v", what, m)
			}
		}
		if root := mountAt(r, "/"); root.Type != "overlay" || strings.Contains(string(here), root.Super) {
			t.Errorf("the root of a %s, %+v, is seen here", what, root)
		}
	}
}

// contract: RT-11
func TestRT11RightsAreDockers(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), d.Host.InsideLayer()},
		Config: imagetest.Config{Entrypoint: []string{"/inside"}, User: "app"},
	})
	var users look.Report
	smallTask(t, d, nameOf(t), &users, "--image", image, "--args", "report,only=capabilities,only=confinement,only=powers")
	none, docker := []string{}, dockersCapabilities()
	for what, c := range map[string]struct {
		r    *look.Report
		want []string
	}{"task": {taskSees(t, d), docker}, "service": {serviceSees(t, d), docker}, "task of a user's": {&users, none}} {
		got := c.r.Capabilities
		if !slices.Equal(got.Effective, c.want) || !slices.Equal(got.Permitted, c.want) || !slices.Equal(got.Bounding, docker) || len(got.Inheritable)+len(got.Ambient) != 0 {
			t.Errorf("a %s has %+v, want %q", what, got, c.want)
		}
		if f := c.r.Confinement; !f.NoNewPrivileges || f.Seccomp != "filter" {
			t.Errorf("a %s is confined by %+v", what, f)
		}
	}
	for call, got := range users.Powers {
		if !strings.HasPrefix(got, "E") {
			t.Errorf("a user's task tries %s: %s", call, got)
		}
	}
}

// contract: RT-12
func TestRT12NamesAreTheInstancesOwn(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), d.Host.InsideLayer(), {Entries: []imagetest.Entry{
			imagetest.File("etc/hosts", "6.6.6.6 localhost metadata.google.internal\n", 0o644), imagetest.File("etc/hostname", "mine\n", 0o644), imagetest.File("etc/resolv.conf", "nameserver 6.6.6.6\n", 0o644),
		}}},
		Config: imagetest.Config{Entrypoint: []string{"/inside"}},
	})
	var images look.Report
	smallTask(t, d, nameOf(t), &images, "--image", image, "--args", "report,only=network,only=machine")
	for what, r := range map[string]*look.Report{"task": taskSees(t, d), "service": serviceSees(t, d), "task with files of its own": &images} {
		address, _, _ := strings.Cut(strings.Join(r.Network.Addresses["eth0"], " "), "/")
		for _, want := range []string{"127.0.0.1\tlocalhost\n", "169.254.169.254\tmetadata.google.internal", address + "\t" + r.Machine.Hostname} {
			if !strings.Contains(r.Network.Hosts+"\n", want) || address == "" {
				t.Errorf("/etc/hosts of a %s lacks %q:\n%s", what, want, r.Network.Hosts)
			}
		}
		if n := r.Network; n.HostnameFile != r.Machine.Hostname || n.Resolver != "nameserver 169.254.169.254" || strings.Contains(n.Hosts, "6.6.6.6") {
			t.Errorf("a %s called %s has %+v", what, r.Machine.Hostname, n)
		}
	}
}

// contract: RT-13
func TestRT13OrphansAreTheApplications(t *testing.T) {
	d := daemon(t)
	serveInside(d, nameOf(t))
	var o struct {
		Me, Parent    int
		Ended, Waited string
	}
	if act(d, nameOf(t), "orphan", &o); o.Me != 1 || o.Parent != 1 || o.Ended != "Z" || o.Waited != "" {
		t.Errorf("an orphan: %+v, want it to be left to process 1, which waits for it", o)
	}
	// What is left behind ends with the application.
	name := nameOf(t, "left")
	first, second := manySeconds(), manySeconds()
	script := `setsid sleep ` + first + ` & sh -c 'setsid sleep ` + second + ` &'; echo begun`
	d.CLI("jobs", "deploy", name, "--image", d.Host.Shell(), "--args", "^\x01^"+script, "--cpu", "0.1", "--memory", "128Mi", "--execute-now", "--wait").Exits(0)
	d.Eventually("nothing of the task is left", func() bool { return len(groupSettings(d, name, "cgroup.procs")) == 0 })
	for _, pid := range rig.ProcessesCalled("sleep\x00"+first+"\x00", "sleep\x00"+second+"\x00") {
		t.Errorf("process %d is left", pid)
	}
}

// contract: RT-14
func TestRT14SignalsAreNoExitCodes(t *testing.T) {
	d := daemon(t)
	for action, want := range map[string]struct {
		code, signal int32
		message      string
	}{
		"exit,signal=11": {0, 11, "Container terminated on signal 11."}, "exit,signal=7": {0, 7, "Container terminated on signal 7."}, "exit,code=139": {139, 0, "The container exited with an error."},
	} {
		job := nameOf(t, strings.Trim(action[len(action)-2:], "="))
		deletesJob(t, d, job)
		d.CLI("jobs", "deploy", job, "--image", d.Host.Inside(), "--args", action, "--cpu", "0.2", "--memory", "128Mi", "--max-retries", "0", "--execute-now", "--wait").Exits(1)
		ctx := d.Host.Limit(rig.Patience())
		task, err := d.Tasks(ctx).ListTasks(ctx, &runpb.ListTasksRequest{Parent: here + "/jobs/" + job + "/executions/-"}).Next()
		if got := task.GetLastAttemptResult(); err != nil || got.GetExitCode() != want.code || got.GetTermSignal() != want.signal || got.GetStatus().GetMessage() != want.message {
			t.Errorf("%s is %v, %v, want %+v", action, got, err, want)
		}
	}
	// A shell tells of its child in its own way.
	if logs := runScript(t, d, `sh -c 'kill -9 $$'; echo "says $?"`); !strings.Contains(logs, "says 137\n") {
		t.Errorf("a shell says\n%s", logs)
	}
}

// contract: RT-15
func TestRT15NothingIsInheritedFromTheHost(t *testing.T) {
	d := daemon(t)
	// Niceness alone is the daemon's, which has ours: who sets it means all that runs.
	mine, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range bothSee(t, d) {
		if s := r.Signals; len(s.Blocked)+len(s.Ignored)+len(s.Pending) != 0 {
			t.Errorf("a %s begins with %+v", what, s)
		}
		var score int
		if _, err := fmt.Sscan(r.IDs.OOMScoreAdj, &score); err != nil || score < 0 || r.IDs.Umask != "0022" || r.IDs.Nice != 20-mine {
			t.Errorf("a %s is %+v", what, r.IDs)
		}
	}
	// A shell shows also what the program itself cannot see.
	logs := runScript(t, d, `umask; exec grep -e ^SigBlk -e ^SigIgn /proc/self/status`)
	if logs != "0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" {
		t.Errorf("a shell begins with\n%s", logs)
	}
	// Nor does it help to ignore signals before, as nohup does and shells do for
	// what runs in the background.
	deaf := func(c *exec.Cmd) {
		c.Path, c.Args = "/bin/sh", append([]string{"sh", "-c", `trap '' HUP INT QUIT TSTP; exec "$0" "$@"`}, c.Args...)
	}
	r := d.Host.StartWith(deaf, "run", "--image", d.Host.Shell(), "--cpu", "0.1", "--memory", "128Mi", "--args", "exec grep ^SigIgn /proc/self/status").Wait()
	r.Exits(0).Shows("SigIgn:\t0000000000000000\n")
}
