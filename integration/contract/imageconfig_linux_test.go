package contract

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: IMG-11
func TestIMG11OnlyTheDiskBoundsAnImage(t *testing.T) {
	d := daemon(t)
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("noise", strings.Repeat(string(noise), 8), 0o644)}}},
		Config: rig.ShellConfig(),
	})
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
	d.Host.AddRoot(dir + "/root")
	d.Host.Run("--image", image, "--args", "echo fits", "--root", dir+"/root").Exits(1).Explains("no space left on the image store's disk")
	// The same is no trouble where there is room, and is more than the task's
	// memory.
	prints(t, d, nameOf(t), image, "33554432\n", "--memory", "128Mi", "--args", "stat -c %s /noise")
}

// jobFile writes the file of a job: a container of an image, with more lines
// about it.
func jobFile(t *testing.T, name, image, container string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "job.yaml")
	text := "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata:\n  name: " + name + "\nspec:\n  template:\n    spec:\n      template:\n        spec:\n" +
		"          containers:\n          - image: " + image + "\n            resources: {limits: {cpu: 100m, memory: 128Mi}}\n            " + container + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// contract: IMG-12
func TestIMG12PullPolicyChangesNothing(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	for _, policy := range []string{"Always", "IfNotPresent", "Never"} {
		name, ref := nameOf(t, strings.ToLower(policy)), server.Host+"/"+strings.ToLower(policy)+":latest"
		imagetest.Push(t, saying(t, "first"), ref)
		file := jobFile(t, name, ref, "imagePullPolicy: "+policy)
		deletesJob(t, d, name)
		d.CLI("jobs", "replace", file).Exits(0)
		imagetest.Push(t, saying(t, "second"), ref)
		// The tag has moved, and what is deployed stays as it is.
		d.CLI("jobs", "execute", name, "--wait").Exits(0)
		// Another deployment imports what there is now.
		d.CLI("jobs", "update", name, "--image", ref).Exits(0)
		server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			t.Errorf("%s: the registry is asked for %s", policy, r.URL.Path)
			http.Error(w, "closed", http.StatusServiceUnavailable)
		})
		d.CLI("jobs", "execute", name, "--wait").Exits(0)
		server.Intercept(nil)
		if got := d.CLI("jobs", "logs", name, "--format", "value(textPayload)").Exits(0).Stdout; got != "first\nsecond\n" {
			t.Errorf("%s: the job prints %q", policy, got)
		}
	}
}

// contract: IMG-14
func TestIMG14ConfigurationOfTheImageCanBeReplaced(t *testing.T) {
	d := daemon(t)
	const show = `echo $0 $*; echo $A$B; pwd; id -un`
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.Dir("here/", 0o755), imagetest.Dir("there/", 0o755)}}},
		Config: imagetest.Config{
			Entrypoint: []string{"/bin/sh", "-c", show}, Cmd: []string{"zero", "one"},
			Env: []string{"PATH=/bin", "A=1", "B=2"}, WorkingDir: "/here", User: "app",
		},
	})
	name := nameOf(t)
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, "zero one\n12\n/here\napp\n"},
		{[]string{"--args", "null,two,three"}, "null two three\n12\n/here\napp\n"},
		{[]string{"--command", "/bin/sh,-c,echo mine $0"}, "mine null\n"},
		{[]string{"--args", ""}, "mine /bin/sh\n"},
		{[]string{"--command", ""}, "zero one\n12\n/here\napp\n"},
		{[]string{"--set-env-vars", "B=3"}, "zero one\n13\n/here\napp\n"},
	} {
		deployJob(t, d, name, image, c.flags...).Exits(0)
		r := d.CLI("jobs", "executions", "list", "--job", name, "--limit", "1", "--format", "value(metadata.name)").Exits(0)
		if got := d.CLI("jobs", "executions", "logs", strings.TrimSpace(r.Stdout), "--format", "value(textPayload)").Exits(0).Stdout; got != c.want {
			t.Errorf("%q: the task prints %q, want %q", c.flags, got, c.want)
		}
	}
	file := jobFile(t, nameOf(t, "dir"), image, "workingDir: /there")
	deletesJob(t, d, nameOf(t, "dir"))
	d.CLI("jobs", "replace", file).Exits(0)
	d.CLI("jobs", "execute", nameOf(t, "dir"), "--wait").Exits(0)
	if got, want := d.CLI("jobs", "logs", nameOf(t, "dir"), "--format", "value(textPayload)").Exits(0).Stdout, "zero one\n12\n/there\napp\n"; got != want {
		t.Errorf("elsewhere the task prints %q, want %q", got, want)
	}
}

// contract: IMG-15
func TestIMG15CommandsRunWithoutAShell(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("show", "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n", 0o755)}}},
		Config: imagetest.Config{Env: []string{"PATH=/bin", "HERE=/bin"}, Entrypoint: []string{"/show", "$(HERE)"}},
	})
	prints(t, d, nameOf(t), image, "<$(HERE)>\n<$(HERE)>\n<$HERE>\n<*>\n<a b>\n<;>\n<|>\n", "--args", "^:^$(HERE):$HERE:*:a b:;:|")
	prints(t, d, nameOf(t, "command"), image, "$(HERE) $HERE ;\n", "--command", "/bin/echo,$(HERE),$HERE,;")
}
