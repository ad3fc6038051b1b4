package runtime

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
)

var update = flag.Bool("update", false, "rewrite golden files")

func exampleSpec() *Spec {
	return &Spec{
		ID: "hello-x7k2p-3-0",
		Containers: []Container{{
			Image: &rimage.Image{Config: rimage.Config{
				Entrypoint: []string{"/bin/app"},
				Cmd:        []string{"serve"},
				Env:        []string{"PATH=/opt/bin:/bin", "LANG=C.UTF-8"},
				WorkingDir: "/srv",
				User:       "app",
			}},
			Env:    []string{"GREETING=hi", "LANG=fr"},
			Limits: cgroups.Limits{CPU: 1000, Memory: 512 * contract.MiB, PIDs: 4096},
		}},
	}
}

// contract: LIM-1 CPU-1 MEM-1 LIM-6 LIM-11
func TestOCISpecGolden(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]hostFacts{
		"v1":     {cgroups: &cgroups.Host{Mode: cgroups.Hybrid}, cgroupParent: "/runnel/abc", noFile: 20_000},
		"v2-dmi": {cgroups: &cgroups.Host{Mode: cgroups.Unified}, cgroupParent: "/runnel/abc", noFile: contract.NoFile, productName: "/root/product_name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "spec-"+name, ociSpec(exampleSpec(), 0, &h))
		})
	}
}

// contract: ATK-29
func TestHeatOfTheHostIsMasked(t *testing.T) {
	t.Parallel()
	const hot = "/sys/devices/system/cpu/cpu0/thermal_throttle"
	h := hostFacts{cgroups: &cgroups.Host{Mode: cgroups.Unified}, throttles: []string{hot}}
	if masked := ociSpec(exampleSpec(), 0, &h).Linux.MaskedPaths; !slices.Contains(masked, hot) || !slices.Contains(masked, "/proc/kcore") {
		t.Errorf("masked are %q", masked)
	}
}

// contract: CPU-1 MEM-1 MEM-2
func TestRequestOfSeveralContainersGolden(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]cgroups.Mode{"v1": cgroups.Hybrid, "v2": cgroups.Unified} {
		s := exampleSpec()
		side := s.Containers[0]
		side.Name, side.Limits = "proxy", cgroups.Limits{CPU: 500, Memory: 256 * contract.MiB, PIDs: 4096}
		side.Mounts = []Mount{{Volume: "cache", Path: "/cache", SubPath: "a/b"}, {Volume: "tmp", Path: "/scratch"}}
		s.Containers[0].Name = "app"
		s.Containers = append(s.Containers, side)
		s.Volumes = []Volume{{Name: "tmp", Size: contract.MiB}, {Name: "cache", Size: 384 * contract.MiB}}
		l := &Launcher{cfg: Config{Dir: "/var/lib/runnel", LogLimit: contract.MiB}, facts: hostFacts{
			cgroups: &cgroups.Host{Mode: mode}, cgroupParent: "/runnel/abc", noFile: contract.NoFile,
		}}
		r := l.request(s, "filter", netip.MustParseAddr("10.0.0.2"))
		for n := range r.Containers { // what a container alone has is in the others
			r.Containers[n].Spec.Mounts, r.Containers[n].Spec.Process = nil, nil
			r.Containers[n].Spec.Linux.MaskedPaths, r.Containers[n].Spec.Linux.ReadonlyPaths = nil, nil
		}
		golden(t, "several-"+name, r)
	}
}

// golden compares v with a file under testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("differs from %s; go test -update rewrites it\n%s", file, got)
	}
}

// contract: IMG-14 IMG-15
func TestArgvCombinesImageAndCaller(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                                 string
		entrypoint, cmd, command, args, want []string
	}{
		{"image alone", []string{"/e"}, []string{"c"}, nil, nil, []string{"/e", "c"}},
		{"command only in image", nil, []string{"/c", "x"}, nil, nil, []string{"/c", "x"}},
		{"args replace cmd", []string{"/e"}, []string{"c"}, nil, []string{"a"}, []string{"/e", "a"}},
		{"command drops cmd", []string{"/e"}, []string{"c"}, []string{"/x"}, nil, []string{"/x"}},
		{"both", []string{"/e"}, []string{"c"}, []string{"/x"}, []string{"a", "b"}, []string{"/x", "a", "b"}},
		{"nothing is expanded", nil, nil, []string{"/e"}, []string{"$(HOME)", "$HOME", "a b"}, []string{"/e", "$(HOME)", "$HOME", "a b"}},
		{"nothing at all", nil, nil, nil, nil, nil},
	} {
		s := &Container{Command: c.command, Args: c.args, Image: &rimage.Image{Config: rimage.Config{Entrypoint: c.entrypoint, Cmd: c.cmd}}}
		if got := argv(s); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// contract: ENV-8 ATK-28
func TestEnvironLaterEntriesWin(t *testing.T) {
	t.Parallel()
	got := environ([]string{"A=1", "B=2", "A=3"}, []string{"B=", "C=x=y", "novalue", "=noname"})
	want := []string{defaultPath, "A=3", "B=", "C=x=y"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := environ([]string{"PATH=/bin"}); !slices.Equal(got, []string{"PATH=/bin"}) {
		t.Errorf("the image's PATH does not win: %q", got)
	}
}

func TestWorkingDirIsAbsolute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ image, own, want string }{
		{"", "", "/"}, {"/srv", "", "/srv"}, {"srv", "", "/srv"}, {"/srv", "/own", "/own"},
	} {
		s := &Container{WorkingDir: c.own, Image: &rimage.Image{Config: rimage.Config{WorkingDir: c.image}}}
		if got := workingDir(s); got != c.want {
			t.Errorf("image %q, own %q: got %q, want %q", c.image, c.own, got, c.want)
		}
	}
}

func TestAddressIsInTheEnvironment(t *testing.T) {
	t.Parallel()
	s := exampleSpec()
	s.Containers[0].AddressEnv = []string{"IP=", "ADDR=:8080", "GREETING="}
	l := &Launcher{facts: hostFacts{cgroups: &cgroups.Host{Mode: cgroups.Unified}}}
	env := l.request(s, "", netip.MustParseAddr("10.0.0.7")).Containers[0].Spec.Process.Env
	for _, want := range []string{"IP=10.0.0.7", "ADDR=10.0.0.7:8080", "GREETING=10.0.0.7", "LANG=fr"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not in %v", want, env)
		}
	}
}
