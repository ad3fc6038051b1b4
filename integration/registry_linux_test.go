package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// contract: IMG-6 IMG-10
// Debian's docker-registry, as people run it.
func TestDockerRegistry(t *testing.T) {
	rig.HostOnly(t, "the other registry proves the same")
	h := openHost(t)
	host := startDockerRegistry(t)
	b := greeter(t, "from Debian's registry")
	digest := imagetest.Push(t, b, host+"/team/app:v1").Descriptor.Digest
	b.MediaTypes = imagetest.Docker
	imagetest.Push(t, b, host+"/team/app:v2")
	for _, ref := range []string{host + "/team/app:v1", host + "/team/app:v2", host + "/team/app@" + digest} {
		if r := h.Run("--image", ref, "--tasks", "2"); r.Code != 0 || strings.Count(r.Stdout, "from Debian's registry") != 2 {
			t.Errorf("%s: exit %d\n%s", ref, r.Code, r)
		}
	}
	h.Run("--image", host+"/team/nosuch:v1").Exits(1).Explains("team/nosuch:v1", "not found")
}

// startDockerRegistry runs docker-registry until the test ends and gives its
// host and port.
func startDockerRegistry(t *testing.T) (host string) {
	t.Helper()
	program := testenv.Program(t, "docker-registry")
	host = closedPort(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s/data}\nhttp: {addr: %q}\n", dir, host)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), rig.Patience())
	log := new(rig.Buffer)
	cmd := exec.CommandContext(ctx, program, "serve", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Errorf("stop the registry: %v\n%s", err, log)
		}
		_ = cmd.Wait() // killed, as intended
	})
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	testenv.Eventually(t, rig.Patience(), func() bool {
		resp, err := client.Get("http://" + host + "/v2/")
		if err != nil {
			return false
		}
		return errors.Join(resp.Body.Close()) == nil && resp.StatusCode == http.StatusOK
	}, "the registry answers")
	return host
}
