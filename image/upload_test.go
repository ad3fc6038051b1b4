package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"runnel/image/imagetest"
)

// site is what tests upload.
func site(text string) []imagetest.Entry {
	return []imagetest.Entry{imagetest.Dir("workspace/", 0o755), imagetest.File("workspace/index", text, 0o644)}
}

// upload is a layer of entries, of any size.
func upload(t testing.TB, entries ...imagetest.Entry) Upload {
	t.Helper()
	return Upload{Body: tarOf(t, entries...)}
}

// mustAdd lays entries on base.
func mustAdd(t testing.TB, s *Store, base string, entries ...imagetest.Entry) *Image {
	t.Helper()
	img, err := s.AddLayer(deadline(t), base, "/workspace", upload(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// The image is the base's with one layer more, whose digest covers all of it.
func TestUploadIsALayerOnItsBase(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	base := server.Host + "/base"
	imagetest.Push(t, sample(), base)
	s := newStore(t)
	below := mustPull(t, s, base)
	img := mustAdd(t, s, base, site("one")...)
	want := below.Config
	want.WorkingDir = "/workspace"
	if !reflect.DeepEqual(img.Config, want) {
		t.Errorf("configuration %+v, want %+v", img.Config, want)
	}
	if len(img.Layers) != 3 || !reflect.DeepEqual(img.Layers[1:], below.Layers) || img.Digest == below.Digest {
		t.Errorf("image %+v on %+v", img, below)
	}
	if got := tree(t, img.Layers[0]); !strings.HasPrefix(got["workspace/index"], "-rw-r--r-- 0:0") {
		t.Errorf("layer: %v", got)
	}
	zipped, err := imagetest.Gzip.Compress(tarOf(t, site("one")...).Bytes())
	must(t, err)
	again, err := s.AddLayer(deadline(t), base, "/workspace", Upload{Body: bytes.NewReader(zipped)})
	if err != nil || again.Digest != img.Digest {
		t.Errorf("the same files, compressed: %+v, %v", again, err)
	}
	if other := mustAdd(t, s, base, site("two")...); other.Digest == img.Digest {
		t.Error("other files are the same image")
	}
	if elsewhere, err := s.AddLayer(deadline(t), base, "/", upload(t, site("one")...)); err != nil || elsewhere.Digest == img.Digest {
		t.Errorf("another directory to start in: %+v, %v", elsewhere, err)
	}
	// An upload is a base itself.
	if top := mustAdd(t, s, UploadReference("site", img.Digest), imagetest.File("workspace/more", "", 0o644)); len(top.Layers) != 4 {
		t.Errorf("an upload on an upload: %+v", top)
	}
}

// The reference of an upload leads to it without any network, in this store and in
// the next one on the same disk, and nothing else does.
func TestUploadIsFoundByItsDigestAlone(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	base := server.Host + "/base"
	pulled := imagetest.Push(t, sample(), base).Descriptor.Digest
	s := newStore(t)
	img := mustAdd(t, s, base, site("one")...)
	ref := UploadReference("team/site", img.Digest)
	if UploadDigest(ref) != img.Digest || UploadDigest(base) != "" || UploadDigest("A B") != "" {
		t.Errorf("the digest of %s is %q", ref, UploadDigest(ref))
	}
	server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		t.Errorf("the registry was asked for %s", r.URL.Path)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	must(t, s.Close())
	s, err := Open(s.cfg)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	found := mustPull(t, s, ref)
	if found.Digest != img.Digest || found.Reference != ref || !reflect.DeepEqual(found.Layers, img.Layers) {
		t.Errorf("found %+v, want %+v", found, img)
	}
	for ref, want := range map[string]error{
		UploadReference("site", pulled):                            ErrNotFound,
		UploadReference("site", "sha256:"+strings.Repeat("0", 64)): ErrNotFound,
		UploadHost + "/site:latest":                                ErrReference,
		UploadHost + "/site":                                       ErrReference,
	} {
		notFound(t, s, ref, want)
	}
	must(t, os.RemoveAll(img.Layers[0]))
	notFound(t, s, ref, ErrNotFound)
}

// notFound fails if a reference leads to an image.
func notFound(t testing.TB, s *Store, ref string, want error) {
	t.Helper()
	if img, err := s.Pull(deadline(t), ref, PullOptions{}); !errors.Is(err, want) || !strings.Contains(err.Error(), ref) {
		t.Errorf("pull %s: %+v, %v; want %v", ref, img, err, want)
	}
}

// An upload stays for a while although nobody needs it yet, also for another
// store; once somebody has asked for it, it stays for as long as it is needed.
func TestUploadIsCollected(t *testing.T) {
	privileged(t)
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, sample(), base)
	reopen := func(s *Store, keep time.Duration) *Store {
		must(t, s.Close())
		cfg := s.cfg
		cfg.KeepUploads = keep
		s, err := Open(cfg)
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return s
	}
	s := newStore(t)
	img := mustAdd(t, s, base, site("one")...)
	collect(t, s)
	s = reopen(s, 0)
	collect(t, s)
	if _, err := s.Image(img.Digest); err != nil {
		t.Fatalf("a young upload: %v", err)
	}
	s = reopen(s, time.Nanosecond)
	collect(t, s)
	wantEmptyStore(t, s)

	s = reopen(s, 0)
	mustAdd(t, s, base, site("one")...)
	mustPull(t, s, UploadReference("site", img.Digest))
	collect(t, s, img.Digest)
	if _, err := s.Image(img.Digest); err != nil {
		t.Fatalf("an upload in use: %v", err)
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// Being laid under another is no use that anybody keeps an upload for.
func TestUploadAsABaseIsKeptStill(t *testing.T) {
	privileged(t)
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, sample(), base)
	s := newStore(t)
	first := mustAdd(t, s, base, site("one")...)
	mustAdd(t, s, UploadReference("site", first.Digest), site("two")...)
	collect(t, s)
	mustPull(t, s, UploadReference("site", first.Digest))
}

// Whatever is wrong with a body, it is refused as a layer of a registry is, and
// nothing of it stays.
func TestUploadRefusesWhatALayerMustNotHold(t *testing.T) {
	privileged(t)
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, imagetest.Build{}, base)
	evil := func(name string) imagetest.Entry { return imagetest.File(name, "evil", 0o777) }
	entries := func(e ...imagetest.Entry) io.Reader { return tarOf(t, e...) }
	bomb := func(size int64) io.Reader { return zeroBomb(t, size) }
	huge := tarOf(t, imagetest.File("f", "", 0o644)).Bytes()
	copy(huge[124:], "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff")
	vast := tarDeclaring(t, 1<<62)
	for name, c := range map[string]struct {
		body io.Reader
		want error
	}{
		"dot dot":                 {entries(evil("../../etc/passwd")), ErrInvalidLayer},
		"dot dot in the middle":   {entries(evil("workspace/../../x")), ErrInvalidLayer},
		"through an outward link": {entries(imagetest.Symlink("l", "/nowhere"), evil("l/f")), ErrInvalidLayer},
		"hard link to the host":   {entries(imagetest.Link("h", "/etc/passwd")), ErrInvalidLayer},
		"device":                  {entries(device("workspace/sda", tar.TypeBlock, 8, 0)), ErrInvalidLayer},
		"whiteout of nothing":     {entries(imagetest.File("workspace/.wh.", "", 0)), ErrInvalidLayer},
		"in a whiteout":           {entries(evil("workspace/.wh.d/f")), ErrInvalidLayer},
		"unknown type":            {entries(with(evil("f"), func(h *tar.Header) { h.Typeflag = 'V' })), ErrInvalidLayer},
		"no tar":                  {strings.NewReader(strings.Repeat("no tar ", 1000)), ErrInvalidLayer},
		"cut off":                 {io.LimitReader(entries(imagetest.File("f", strings.Repeat("x", 5000), 0o644)), 3000), ErrInvalidLayer},
		"declared size":           {bytes.NewReader(huge), ErrInvalidLayer},
		"more than any disk has":  {bytes.NewReader(vast), ErrTooLarge},
		"bomb":                    {bomb(1 << 30), ErrTooLarge},
		"long":                    {zeros{}, ErrTooLarge},
		"connection":              {io.MultiReader(bytes.NewReader(tarOf(t, site("x")...).Bytes()[:600]), broken{}), errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, func(c *StoreConfig) { c.MaxLayerEntries = 1000 })
			_, err := s.AddLayer(deadline(t), base, "/workspace", Upload{Body: c.body, MaxBytes: 1 << 20})
			if !errors.Is(err, c.want) && !(name == "declared size" && err != nil) || strings.Contains(err.Error(), "\n") || errors.Is(err, ErrBase) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			collect(t, s)
			wantEmptyStore(t, s)
		})
	}
}

// broken is a connection that breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// zeroBomb is a compressed layer that inflates a thousand-fold, to size bytes.
func zeroBomb(t testing.TB, size int64) io.Reader {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = r.Close() })
	go func() {
		z := gzip.NewWriter(w)
		tw := tar.NewWriter(z)
		err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: size})
		if err == nil {
			_, err = io.CopyN(tw, zeros{}, size)
		}
		_ = w.CloseWithError(errors.Join(err, tw.Close(), z.Close()))
	}()
	return r
}

// What is wrong with the base is said to be about it, before the body is read.
func TestUploadRefusesABadBase(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	arm := sample()
	arm.Platform = imagetest.Platform{OS: "linux", Architecture: "arm64"}
	imagetest.Push(t, arm, host+"/arm")
	s := newStore(t)
	for base, want := range map[string]error{
		host + "/nosuch": ErrNotFound, host + "/arm": ErrPlatform, "A B": ErrReference,
		"oci-archive:/nosuch": ErrNotFound, UploadReference("x", "sha256:"+strings.Repeat("0", 64)): ErrNotFound,
	} {
		_, err := s.AddLayer(deadline(t), base, "/workspace", Upload{Body: unread{t}})
		if !errors.Is(err, want) || !errors.Is(err, ErrBase) {
			t.Errorf("%s: %v", base, err)
		}
	}
	wantEmptyStore(t, s)
}

// unread is a body that nobody may read.
type unread struct{ t testing.TB }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// An upload ends with its context, and leaves nothing.
func TestUploadIsCancelled(t *testing.T) {
	privileged(t)
	base := imagetest.Registry(t) + "/base"
	imagetest.Push(t, imagetest.Build{}, base)
	s := newStore(t)
	cause := errors.New("enough")
	for _, add := range []func(context.Context, Upload) error{
		func(ctx context.Context, u Upload) error {
			_, err := s.AddLayer(ctx, base, "/workspace", u)
			return err
		},
		func(ctx context.Context, u Upload) error {
			_, err := s.AddArchive(ctx, u)
			return err
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		body := &cancelling{r: io.MultiReader(bytes.NewReader(tarOf(t, site(strings.Repeat("x", 1<<20))...).Bytes()[:1<<19]), zeros{}), after: 1 << 20, cancel: func() { cancel(cause) }}
		if err := add(ctx, Upload{Body: body, MaxBytes: 1 << 40}); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// cancelling is a body that calls cancel once some of it was read.
type cancelling struct {
	r      io.Reader
	after  int
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.after -= n; c.after < 0 {
		c.cancel()
	}
	return n, err
}

// tarDeclaring is a tar whose only file says that it has so many bytes.
func tarDeclaring(t testing.TB, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "f", Size: size, Mode: 0o644}))
	return append(b.Bytes(), make([]byte, 2048)...)
}
