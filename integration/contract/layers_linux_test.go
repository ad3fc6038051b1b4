package contract

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// layered is an image of busybox with the layers above it, and a script to run.
func layered(t *testing.T, d *rig.Daemon, layers ...[]imagetest.Entry) (image string) {
	t.Helper()
	b := imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}
	for _, entries := range layers {
		b.Layers = append(b.Layers, imagetest.Layer{Entries: entries})
	}
	return d.Host.Build(b)
}

// showing runs a script in an image and gives what it prints.
func showing(t *testing.T, d *rig.Daemon, image, script string) string {
	t.Helper()
	name := nameOf(t, strings.ToLower(filepath.Base(filepath.Dir(image))))
	d.CLI("jobs", "deploy", name, "--image", image, "--args", "^\x01^"+script, "--cpu", "0.1", "--memory", "128Mi",
		"--max-retries", "0", "--execute-now", "--wait").Exits(0)
	return d.CLI("jobs", "logs", name, "--format", "value(textPayload)").Exits(0).Stdout
}

// contract: ATK-9
func TestATK9NoNameInALayerLeadsOut(t *testing.T) {
	d := daemon(t)
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := strings.Repeat("../", 30)
	evil := func(name string) imagetest.Entry { return imagetest.File(name, "evil", 0o777) }
	for what, entries := range map[string][]imagetest.Entry{
		"dots":                       {evil(up + outside[1:] + "/new")},
		"dots in the middle":         {evil("a/" + up + outside[1:] + "/new")},
		"through an absolute link":   {imagetest.Symlink("l", outside), evil("l/new")},
		"through a relative link":    {imagetest.Symlink("l", up+outside[1:]), evil("l/new")},
		"through /proc":              {imagetest.Symlink("l", "/proc/1/root"), evil("l" + outside + "/new")},
		"a hard link to the host":    {imagetest.Link("h", victim), evil("h")},
		"a hard link through a link": {imagetest.Symlink("l", outside), imagetest.Link("h", "l/victim")},
		"a link for the root":        {imagetest.Symlink(".", outside), evil("new")},
	} {
		r := d.CLI("jobs", "deploy", nameOf(t), "--image", layered(t, d, entries))
		if r.Code != 1 || !strings.Contains(r.Stderr, "invalid layer: entry \"") {
			t.Errorf("%s: exit %d, want 1, and the entry's name\n%s", what, r.Code, r)
		}
		if left, err := os.ReadDir(outside); len(left) != 1 {
			t.Errorf("%s: the host's directory holds %v, %v", what, left, err)
		}
	}
	// What is only absolute lies in the image.
	image := layered(t, d, []imagetest.Entry{evil(victim), imagetest.Symlink("l", victim), evil("l")})
	if got := showing(t, d, image, "cat "+victim+" /l"); got != "evilevil\n" {
		t.Errorf("in the image lies %q", got)
	}
	if text, err := os.ReadFile(victim); string(text) != "of the host" {
		t.Errorf("the host's file is %q, %v", text, err)
	}
}

// contract: ATK-10
func TestATK10WhiteoutsDeleteWhatIsBelowThemAlone(t *testing.T) {
	d := daemon(t)
	file := func(name string) imagetest.Entry { return imagetest.File(name, name, 0o644) }
	image := layered(t, d,
		[]imagetest.Entry{file("gone"), file("stays"), file("again"), file("d/gone"), file("o/gone"), file("etc/kept"), imagetest.Symlink("l", "/etc")},
		[]imagetest.Entry{file(".wh.gone"), file("d/.wh.gone"), file("o/new"), file("o/.wh..wh..opq"), file(".wh.again"), file("again"),
			file(".wh.never"), file(".wh.l"), file("l/own")})
	got := showing(t, d, image, "ls -d /gone /d/gone /o/gone /never 2>/dev/null; ls /o /l; cat /stays /again /etc/kept")
	if want := "/l:\nown\n\n/o:\nnew\nstaysagainetc/kept\n"; strings.ReplaceAll(got, "\n\n", "\n") != strings.ReplaceAll(want, "\n\n", "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{".wh...", ".wh..", "d/.wh.", "../.wh.x", ".wh.d/x"} {
		r := d.CLI("jobs", "deploy", nameOf(t), "--image", layered(t, d, []imagetest.Entry{file(name)}))
		if r.Code != 1 || !strings.Contains(r.Stderr, "invalid layer: entry") {
			t.Errorf("%s: exit %d\n%s", name, r.Code, r)
		}
	}
}

// contract: ATK-11
func TestATK11LayersGiveNoDevicesAndNoPrivileges(t *testing.T) {
	d := daemon(t)
	device := func(name string, kind byte, major, minor int64) imagetest.Entry {
		return imagetest.Entry{Header: tar.Header{Typeflag: kind, Name: name, Mode: 0o666, Devmajor: major, Devminor: minor}}
	}
	for _, e := range []imagetest.Entry{
		device("sda", tar.TypeBlock, 8, 0), device("mem", tar.TypeChar, 1, 1), device("dev/null", tar.TypeChar, 1, 1), device("kmsg", tar.TypeChar, 1, 11),
	} {
		r := d.CLI("jobs", "deploy", nameOf(t), "--image", layered(t, d, []imagetest.Entry{e}))
		if r.Code != 1 || !strings.Contains(r.Stderr, "invalid layer: entry") {
			t.Errorf("%s %d:%d: exit %d\n%s", e.Name, e.Devmajor, e.Devminor, r.Code, r)
		}
	}
	attributes := func(e imagetest.Entry, name, value string) imagetest.Entry {
		e.PAXRecords = map[string]string{"SCHILY.xattr." + name: value}
		return e
	}
	image := layered(t, d,
		[]imagetest.Entry{imagetest.File("d/hidden", "", 0o644), imagetest.Dir("r/", 0o755)},
		[]imagetest.Entry{
			attributes(imagetest.Dir("d/", 0o755), "trusted.overlay.opaque", "y"),
			attributes(imagetest.Dir("r/", 0o755), "trusted.overlay.redirect", "/etc"),
			device("char", tar.TypeChar, 0, 0),
		})
	got := showing(t, d, image, "ls /d; ls /r; ls /char 2>&1; mknod /x c 1 3 && cat /x; head -c 1 /dev/kmsg; echo over")
	if !strings.Contains(got, "hidden\n") || strings.Contains(got, "passwd") || !strings.Contains(got, "over\n") {
		t.Errorf("inside it prints %q", got)
	}
}

// contract: ATK-12
func TestATK12LayersThatWouldGrowWithoutEndAreRefused(t *testing.T) {
	d := daemon(t)
	var promise, cut bytes.Buffer
	err := errors.Join(
		tar.NewWriter(&promise).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "f", Mode: 0o644, Size: 1 << 60}),
		imagetest.Layer{Entries: []imagetest.Entry{imagetest.File("f", strings.Repeat("x", 1<<20), 0o644)}}.Tar(&cut))
	if err != nil {
		t.Fatal(err)
	}
	cut.Truncate(1 << 19)
	for what, c := range map[string]struct {
		layer imagetest.Layer
		want  string
	}{
		"a name of 8 MiB":         {imagetest.Layer{Raw: longName(t, 8<<20)}, "invalid layer"},
		"half a file":             {imagetest.Layer{Raw: cut.Bytes()}, "invalid layer"},
		"directories without end": {imagetest.Layer{Entries: []imagetest.Entry{imagetest.File(strings.Repeat("d/", 3000)+"f", "", 0o644)}}, "invalid layer"},
		"an exbibyte in a block":  {imagetest.Layer{Raw: promise.Bytes()}, "no space left on the image store's disk"},
	} {
		ref := d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{c.layer}})
		r := d.CLI("jobs", "deploy", nameOf(t), "--image", ref)
		if r.Code != 1 || !strings.Contains(r.Stderr, c.want) {
			t.Errorf("%s: exit %d, want 1 and %q\n%s", what, r.Code, c.want, r)
		}
	}
}

// longName is a tar whose first entry is a name of so many bytes, for the next.
func longName(t *testing.T, size int64) []byte {
	t.Helper()
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "././@LongLink", Size: size, Format: tar.FormatGNU})
	if err == nil {
		_, err = w.Write(bytes.Repeat([]byte("n"), int(size)))
	}
	if err != nil {
		t.Fatal(err)
	}
	head := text.Bytes()[:512]
	head[156] = tar.TypeGNULongName
	copy(head[148:156], "        ") // the checksum is made with blanks in its place
	sum := 0
	for _, b := range head {
		sum += int(b)
	}
	copy(head[148:], fmt.Sprintf("%06o\x00", sum))
	return text.Bytes()
}

// contract: ATK-13
func TestATK13SizesThatLieAndManifestsWithoutEndAreRefused(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	o.manifest(func(m *imagetest.Manifest) { m.Layers[0].Size = 1 << 50 })
	o.refused("a layer of a pebibyte", o.ref, "content does not match")
	o.manifest(func(m *imagetest.Manifest) { m.Layers[0].Size = -1 })
	o.refused("a negative size", o.ref, "invalid manifest")
	o.manifest(func(m *imagetest.Manifest) {
		for len(m.Layers) < 10_000 {
			m.Layers = append(m.Layers, m.Layers[0])
		}
	})
	o.refused("ten thousand layers", o.ref, "too large")
	o.answers("/manifests/1", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[`)
		for r.Context().Err() == nil {
			_, _ = fmt.Fprintf(w, `{"digest":"sha256:%064d","size":1,"mediaType":"application/vnd.oci.image.manifest.v1+json"},`, 0)
		}
	})
	o.refused("an index without end", o.ref, "too large")
}

// contract: ATK-14
func TestATK14NothingThatWasTamperedWithIsKept(t *testing.T) {
	o := newOddRegistry(t, daemon(t))
	for what, tamper := range map[string]func([]byte) []byte{
		"first byte": func(b []byte) []byte { b[0] ^= 0x80; return b },
		"last byte":  func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"one more":   func(b []byte) []byte { return append(b, 0) },
		"one less":   func(b []byte) []byte { return b[:len(b)-1] },
		"empty":      func([]byte) []byte { return nil },
	} {
		o.answers(o.layer(), func(w http.ResponseWriter, _ *http.Request, content []byte) { sendChunked(w, tamper(content)) })
		o.refused(what, o.ref, "content does not match")
	}
	for _, digest := range []string{"sha256:../../../../etc/passwd", "sha256:" + strings.Repeat("A", 64), "md5:0", "../x"} {
		o.manifest(func(m *imagetest.Manifest) { m.Layers[0].Digest = digest })
		o.refused(digest, o.ref, "invalid manifest")
	}
	o.Intercept(nil)
	lie := o.d.Host.Build(imagetest.Build{
		Layers:       []imagetest.Layer{{Entries: []imagetest.Entry{imagetest.File("f", o.Host, 0o644)}}},
		ClaimDiffIDs: []string{"sha256:" + strings.Repeat("0", 64)},
	})
	o.refused("a wrong diff ID", lie, "content does not match")
	o.gives()
}
