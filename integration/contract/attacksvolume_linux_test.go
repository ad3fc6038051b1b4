package contract

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// contract: ATK-7
func TestATK7ExchangedLinksLeadNowhere(t *testing.T) {
	d := daemon(t)
	before := settings(t)
	outside := t.TempDir()
	marker := filepath.Join(outside, "marker")
	if err := os.WriteFile(marker, []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	name := nameOf(t)
	d.CLI("worker-pools", "deploy", name, "--instances", "0",
		"--add-volume", "name=v,type=in-memory,size-limit=1Mi", "--add-volume", "name=w,type=in-memory,size-limit=1Mi",
		"--container", "swap", "--image", d.Host.Shell(), "--cpu", "0.1", "--memory", "128Mi", "--add-volume-mount", "volume=v,mount-path=/v",
		"--args", `n=0; while [ $n -lt 200 ]; do for p in /v/sub /v/inner; do rm -rf $p; ln -s / $p; done; sleep 0.02; n=$((n + 1))
			for p in /v/sub /v/inner; do rm -f $p; ln -s ../../../../../../../.. $p; rm -f $p; mkdir $p; done; done; sleep 1000`,
		"--container", "look", "--image", d.Host.Shell(), "--cpu", "0.1", "--memory", "128Mi", "--depends-on", "swap",
		"--add-volume-mount", "volume=v,mount-path=/sub", "--add-volume-mount", "volume=v,mount-path=/v", "--add-volume-mount", "volume=w,mount-path=/v/inner",
		"--args", `n=0; while [ $n -lt 40 ]; do for p in /sub /v/inner /v/sub; do
			[ -e $p`+marker+` ] && echo reached by $p; { echo evil >>$p`+marker+`; } 2>/dev/null; done; sleep 0.02; n=$((n + 1)); done
			echo looked; sleep 1000`).Exits(0)
	// The command line has no flag for a part of a volume.
	file := filepath.Join(t.TempDir(), "pool.yaml")
	text := d.CLI("worker-pools", "describe", name, "--format", "export").Exits(0).Stdout
	text = regexp.MustCompile(`(?m)^( *)- mountPath: /sub$`).ReplaceAllString(text, "$0\n$1  subPath: sub")
	text = strings.Replace(text, "manualInstanceCount: '0'", "manualInstanceCount: '2'", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil || strings.Count(text, "subPath: sub") != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	d.CLI("worker-pools", "replace", file).Exits(0)
	log := ""
	d.Eventually("two have looked", func() bool {
		log = d.CLI("worker-pools", "logs", name, "--format", "value(textPayload)").Exits(0).Stdout
		return strings.Count(log, "looked\n") >= 2
	})
	d.CLI("worker-pools", "delete", name, "--quiet").Exits(0)
	if strings.Contains(log, "reached") {
		t.Errorf("the host is reached:\n%s", rig.Clip(log))
	}
	if text, err := os.ReadFile(marker); string(text) != "of the host" {
		t.Errorf("a file of the host's is %q, %v", text, err)
	}
	unchanged(t, before)
}
