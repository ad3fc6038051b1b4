package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/image/imagetest"
	"runnel/internal/testenv"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
	rruntime "runnel/runtime"
)

func TestMain(m *testing.M) {
	if root := os.Getenv(envDaemon); root != "" {
		os.Exit(playDaemon(root))
	}
	os.Exit(testenv.Main(m))
}

// bench is a launcher on a network of its own, and a busybox image.
type bench struct {
	*rruntime.Launcher
	t      testing.TB
	image  *rimage.Image
	parent string // of all instances' cgroups
	next   int
}

func newBench(t testing.TB) *bench {
	t.Helper()
	testenv.Root(t)
	testenv.NoLeaks(t)
	b := &bench{t: t, image: busyboxImage(t), parent: testenv.CgroupParent(t) + "/root"}
	network := rnet.New(rnet.Config{Name: "test"})
	if err := network.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	signer, err := metadata.LoadOrCreateSigner(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b.Launcher, err = rruntime.Open(rruntime.Config{
		Dir:          dir,
		ShimBinary:   testenv.Binary(t, "runnel-shim"),
		Ephemeral:    true,
		CgroupParent: b.parent,
		Network:      network,
		Metadata:     metadata.New(metadata.Config{Tokens: signer}),
		Resolver:     dns.New(dns.Config{Hosts: map[string]netip.Addr{contract.MetadataHost: netip.MustParseAddr(contract.MetadataAddress)}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-b.Gone(): // killed by the test
			_ = b.Launcher.Close()
		default:
			if err := b.Launcher.Close(); err != nil {
				t.Error(err)
			}
		}
		if log, _ := os.ReadFile(filepath.Join(dir, "shim", "shim.log")); len(log) > 0 {
			t.Logf("shim log:\n%s", log)
		}
	})
	return b
}

// busyboxImage unpacks an image of busybox through the real store.
func busyboxImage(t testing.TB) *rimage.Image {
	t.Helper()
	layout := t.TempDir()
	built, err := imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: imagetest.Config{Env: []string{"FROM_IMAGE=yes"}}}.Write(layout)
	if err != nil {
		t.Fatal(err)
	}
	if err := imagetest.WriteLayout([]string{"latest"}, built); err != nil {
		t.Fatal(err)
	}
	store, err := rimage.Open(rimage.StoreConfig{Dir: filepath.Join(t.TempDir(), "images")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	img, err := store.Pull(t.Context(), "oci:"+layout, rimage.PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// spec is an instance that runs a shell script.
func (b *bench) spec(script string) rruntime.Spec {
	b.next++
	id := fmt.Sprintf("test-%d", b.next)
	return rruntime.Spec{
		ID: id, Hostname: "localhost",
		Containers: []rruntime.Container{{
			Image:   b.image,
			Command: []string{"/bin/sh", "-c", script},
			Limits:  cgroups.Limits{CPU: 1000, Memory: 128 * contract.MiB, PIDs: 200},
		}},
		Identity: metadata.Identity{
			InstanceID: "id-of-" + id, ProjectID: "local", ProjectNumber: "123456", Region: "us-central1",
			ServiceAccount: "me@local.iam.gserviceaccount.com",
		},
	}
}

// run carries an instance through its life.
func (b *bench) run(s rruntime.Spec) (rruntime.Exit, string) {
	b.t.Helper()
	ctx := b.t.Context()
	i, err := b.Create(ctx, s)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := i.Start(ctx); err != nil {
		b.t.Fatal(err)
	}
	e := b.wait(i)
	if err := i.Delete(ctx); err != nil {
		b.t.Fatal(err)
	}
	out, _ := os.ReadFile(b.LogPath(s.ID))
	return e, string(out)
}

func (b *bench) wait(i *rruntime.Instance) rruntime.Exit {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*time.Minute)
	defer cancel()
	e, err := i.Wait(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// contract: MD-1 MD-4 MD-5 MD-6 MD-7 MD-8 MD-9
func TestInstanceReadsItsMetadata(t *testing.T) {
	b := newBench(t)
	e, out := b.run(b.spec(`
		m() { wget -q -O - --header "Metadata-Flavor: Google" "http://$1" && echo; }
		m metadata.google.internal/computeMetadata/v1/project/project-id
		m 169.254.169.254/computeMetadata/v1/instance/region
		m 169.254.169.254/computeMetadata/v1/instance/id
		m 169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token
		wget -q -O - http://169.254.169.254/computeMetadata/v1/project/project-id || echo refused without header
		nslookup metadata.google.internal 169.254.169.254
		cat /etc/hosts /etc/resolv.conf /etc/hostname`))
	for _, want := range []string{
		"F local\n", "F projects/123456/regions/us-central1\n", "F id-of-test-1\n", `"access_token"`,
		"refused without header", "Address: 169.254.169.254", "metadata.google.internal", "nameserver 169.254.169.254", "F localhost\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q (exit %+v) in:\n%s", want, e, out)
		}
	}
}

// contract: MD-19
func TestInstancesHaveTheirOwnIdentity(t *testing.T) {
	b := newBench(t)
	script := `wget -q -O - --header "Metadata-Flavor: Google" http://169.254.169.254/computeMetadata/v1/instance/id`
	for range 3 { // the slot is used again, under another name
		s := b.spec(script)
		if _, out := b.run(s); !strings.Contains(out, " F id-of-"+s.ID+"\n") {
			t.Errorf("%s sees:\n%s", s.ID, out)
		}
	}
}

// contract: FS-3 FS-4 FS-5 IMG-15 LIM-4 LIM-11
func TestInstanceEnvironment(t *testing.T) {
	b := newBench(t)
	s := b.spec(`
		echo "image $FROM_IMAGE own $OWN pid $$ args $0"
		test -e /left-behind && echo "sees another instance"
		touch /left-behind /tmp/x /var/log/x /dev/shm/x && echo "writes"
		mount -t tmpfs none /mnt 2>/dev/null || echo "no mount"
		su nobody -s /bin/sh -c 'echo "su: $(id -u)"'
		echo > /proc/sys/kernel/hostname 2>/dev/null || echo "no sysctl"
		wc -c < /proc/keys
		stat -c "%a" /tmp
		mknod /dev/disk b 254 0 && head -c 1 /dev/disk && echo "reads a disk"
		head -c 4 /dev/zero | wc -c
		cat /proc/self/limits | grep "open files"
		ip addr show dev eth0 | grep -c "inet "
		df -k / | tail -1`)
	s.Containers[0].Env = []string{"OWN=$(HOME)"}
	for range 2 {
		_, out := b.run(s)
		for _, want := range []string{"image yes own $(HOME) pid 1", "F writes", "F no mount", "F su: 65534", "F no sysctl", "F 0\n", "F 1777", "F 4\n", "F 1\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("missing %q in:\n%s", want, out)
			}
		}
		if strings.Contains(out, "sees another") || strings.Contains(out, "reads a disk") {
			t.Errorf("not isolated:\n%s", out)
		}
		if want := fmt.Sprint(b.OpenFiles()); strings.Count(out, want) < 1 {
			t.Errorf("open files are not limited to %s:\n%s", want, out)
		}
		if err := os.Remove(b.LogPath(s.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

// contract: LIM-1
func TestOpenFilesLimitIs25000(t *testing.T) {
	testenv.Require(t, testenv.NoFile)
	b := newBench(t)
	_, out := b.run(b.spec(`ulimit -Sn; ulimit -Hn; sh -c 'ulimit -n'; ulimit -Hn 25001 || echo cannot raise`))
	if strings.Count(out, "F 25000\n") != 3 || !strings.Contains(out, "cannot raise") {
		t.Errorf("limits:\n%s", out)
	}
}

// contract: LIM-7
func TestProductNameIsGoogles(t *testing.T) {
	testenv.Require(t, testenv.DMI)
	b := newBench(t)
	if e, out := b.run(b.spec("cat /sys/class/dmi/id/product_name")); !strings.Contains(out, "F Google Compute Engine\n") {
		t.Errorf("exit %+v:\n%s", e, out)
	}
}

// contract: JOB-14 MEM-1
func TestInstanceOverItsMemoryIsLabelled(t *testing.T) {
	b := newBench(t)
	e, _ := b.run(b.spec("dd if=/dev/zero of=/dev/shm/x bs=1M count=300; echo survived"))
	if !e.OOMKilled || e.Succeeded() {
		t.Errorf("exit %+v", e)
	}
}

// contract: LIFE-7 LIFE-12
func TestStopAsksThenKills(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		name, script string
		grace        time.Duration
		code         int
		signal       syscall.Signal
	}{
		{"handler", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done", time.Minute, 7, 0},
		{"no handler", "echo ready; while :; do sleep 0.1; done", 300 * time.Millisecond, 0, syscall.SIGKILL},
	} {
		s := b.spec(c.script)
		i, err := b.Create(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, time.Minute, func() bool { out, _ := os.ReadFile(b.LogPath(s.ID)); return len(out) > 0 })
		if err := i.Stop(t.Context(), c.grace); err != nil {
			t.Fatal(err)
		}
		if e := b.wait(i); e.Code != c.code || e.Signal != c.signal {
			t.Errorf("%s: exit %+v", c.name, e)
		}
		if err := i.Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForkBombIsDeletedWhole(t *testing.T) {
	b := newBench(t)
	s := b.spec(`bomb() { bomb | bomb & }; echo go; bomb; sleep 60`)
	i, err := b.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, time.Minute, func() bool { out, _ := os.ReadFile(b.LogPath(s.ID)); return len(out) > 0 })
	if err := i.Delete(t.Context()); err != nil { // NoLeaks and CgroupParent see what is left
		t.Fatal(err)
	}
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	b := newBench(t)
	for want, s := range map[string]rruntime.Spec{
		"does not exist in the image": func() rruntime.Spec { s := b.spec(""); s.Containers[0].Command = []string{"/nope"}; return s }(),
		"names no entrypoint":         func() rruntime.Spec { s := b.spec(""); s.Containers[0].Command = nil; return s }(),
	} {
		_, err := b.Create(t.Context(), s)
		if !errors.Is(err, rruntime.ErrUnstartable) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	// A name that is taken does not disturb its holder.
	s := b.spec("exit 3")
	i, err := b.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(t.Context(), s); !errors.Is(err, rruntime.ErrExists) {
		t.Errorf("created the same instance twice: %v", err)
	}
	if err := i.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := b.wait(i); e.Code != 3 {
		t.Errorf("exit %+v", e)
	}
	if err := i.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A shim that is killed takes no instance's end with it: each is reported lost,
// ended and removed.
func TestKilledShimLosesItsInstancesCleanly(t *testing.T) {
	b := newBench(t)
	running, err := b.Create(t.Context(), b.spec("sleep 1000 & sleep 1000"))
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting, err := b.Create(t.Context(), b.spec("true"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(b.KeeperPID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-b.Gone()
	for _, i := range []*rruntime.Instance{running, waiting} {
		if e := b.wait(i); !e.Lost || e.Succeeded() {
			t.Errorf("exit %+v", e)
		}
		if err := i.Delete(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := waiting.Start(t.Context()); !errors.Is(err, rruntime.ErrKeeperGone) {
		t.Errorf("start without a shim: %v", err)
	}
	if _, err := b.Create(t.Context(), b.spec("true")); !errors.Is(err, rruntime.ErrKeeperGone) {
		t.Errorf("create without a shim: %v", err)
	}
}

func BenchmarkRunTrue(b *testing.B) {
	b.Run("ephemeral", func(b *testing.B) {
		bench := newBench(b)
		for b.Loop() {
			s := bench.spec("")
			s.Containers[0].Command = []string{"/bin/true"}
			if e, _ := bench.run(s); !e.Succeeded() {
				b.Fatalf("exit %+v", e)
			}
		}
	})
	b.Run("durable", func(b *testing.B) {
		r := newRoot(b)
		bench := &bench{Launcher: r.lastDaemon().Launcher, t: b, image: r.Image}
		for b.Loop() {
			s := bench.spec("")
			s.Containers[0].Command = []string{"/bin/true"}
			if e, _ := bench.run(s); !e.Succeeded() {
				b.Fatalf("exit %+v", e)
			}
		}
	})
}
