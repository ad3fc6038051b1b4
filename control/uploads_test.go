package control_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
)

// uploaded is the reference of an upload of a text, and its digest.
func uploaded(t *testing.T, w *controltest.World, text string) (reference, digest string) {
	t.Helper()
	// The one of the beginning must not take it: the fake knows no young uploads.
	w.Eventually("a collection", func() bool { return w.Images.Collections() > 0 })
	reference, err := w.Control.Upload(t.Context(), control.Upload{Base: controltest.Image, Name: "site", Body: strings.NewReader(text), MaxBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if digest = rimage.UploadDigest(reference); !strings.HasPrefix(reference, "source.localhost/site@") || digest == "" {
		t.Fatalf("the reference is %s", reference)
	}
	return reference, digest
}

// collected makes the images be collected that nothing needs.
func collected(t *testing.T, w *controltest.World) []string {
	t.Helper()
	before := w.Images.Collections()
	w.Restart()
	w.Eventually("a collection", func() bool { return w.Images.Collections() > before })
	return w.Images.Stored()
}

// A job keeps its upload, also one whose import has not worked out yet.
func TestUploadOfAJobIsKept(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	reference, digest := uploaded(t, w, "one")
	w.Images.Fail(reference, rimage.ErrNoSpace)
	spec := controltest.NewJob(1)
	spec.Template.Template.Containers[0].Image = reference
	job, op := create(t, w, "etl", spec)
	w.WaitFor(op.GetName())
	if got := collected(t, w); !slices.Contains(got, digest) {
		t.Errorf("the upload of a job that is not ready is gone: %v", got)
	}
	w.Images.Fail(reference, nil)
	next := controltest.NewJob(1)
	next.Name = job.GetName()
	next.Template.Template.Containers[0].Image = reference
	next.Template.Template.Containers[0].Args = []string{"again"}
	if _, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next}); err != nil {
		t.Fatal(err)
	} else {
		w.WaitFor(op.GetName())
	}
	x, _ := w.Run(job.GetName())
	w.Ended(x.GetName())
	if got := collected(t, w); !slices.Contains(got, digest) {
		t.Errorf("the upload of a job is gone: %v", got)
	}
	if _, _, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: job.GetName()}); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the upload to be collected", func() bool { return !slices.Contains(w.Images.Stored(), digest) })
}

// A service keeps the upload that it names, although the revision made of it has
// failed, and needs none to be changed.
func TestUploadOfAServiceIsKept(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	reference, digest := uploaded(t, w, "one")
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial {
		return controltest.Trial{Err: errors.New("it does not listen")}
	})
	s := getService(t, w, name)
	s.Template.Containers[0].Image = reference
	updateService(t, w, s)
	if got := collected(t, w); !slices.Contains(got, digest) {
		t.Fatalf("the upload that a service names is gone: %v", got)
	}
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	s = getService(t, w, name)
	s.Template.Containers[0].Args = []string{"now"}
	s, _ = updateService(t, w, s)
	if got := w.Fleet.Images(s.GetLatestReadyRevision()); !slices.Equal(got, []string{digest}) {
		t.Errorf("the new revision has %v, want the upload", got)
	}
	if got := getRevision(t, w, s.GetLatestReadyRevision()).GetContainers()[0].GetImage(); got != reference {
		t.Errorf("the revision's image is %s, want %s", got, reference)
	}
	_, op, err := w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("nothing to be left", func() bool { return len(w.Images.Stored()) == 0 })
}

// So does a worker pool.
func TestUploadOfAWorkerPoolIsKept(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	reference, digest := uploaded(t, w, "one")
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial {
		return controltest.Trial{Err: errors.New("it ends at once")}
	})
	want := controltest.NewWorkerPool()
	want.Template.Containers[0].Image = reference
	p, _ := createPool(t, w, "work", want)
	if got := collected(t, w); !slices.Contains(got, digest) {
		t.Fatalf("the upload that a worker pool names is gone: %v", got)
	}
	_, op, err := w.Control.DeleteWorkerPool(t.Context(), &runpb.DeleteWorkerPoolRequest{Name: p.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("nothing to be left", func() bool { return len(w.Images.Stored()) == 0 })
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	broken := errors.New("broken")
	w.Images.Fail("registry.example/none", rimage.ErrNotFound)
	w.Images.Fail("registry.example/away", rimage.ErrUnreachable)
	text := func() io.Reader { return strings.NewReader("text") }
	for name, c := range map[string]struct {
		upload control.Upload
		code   codes.Code
		says   string
	}{
		"no reference": {control.Upload{Base: "A B", Body: text(), MaxBytes: 9}, codes.InvalidArgument, "base"},
		"no base":      {control.Upload{Base: "registry.example/none", Body: text(), MaxBytes: 9}, codes.InvalidArgument, "base"},
		"base is away": {control.Upload{Base: "registry.example/away", Body: text(), MaxBytes: 9}, codes.Unavailable, "registry.example/away"},
		"name":         {control.Upload{Name: "../x", Body: text(), MaxBytes: 9}, codes.InvalidArgument, "name"},
		"name and tag": {control.Upload{Name: "x:1", Body: text(), MaxBytes: 9}, codes.InvalidArgument, "name"},
		"too large":    {control.Upload{Body: text(), MaxBytes: 3}, codes.OutOfRange, "3 bytes"},
		"cut off":      {control.Upload{Body: iotest.ErrReader(io.ErrUnexpectedEOF), MaxBytes: 9}, codes.InvalidArgument, "unexpected EOF"},
		"broken":       {control.Upload{Body: iotest.ErrReader(broken), MaxBytes: 9}, codes.Internal, "broken"},
		"told":         {control.Upload{Body: iotest.ErrReader(status.Error(codes.Unavailable, "stopping")), MaxBytes: 9}, codes.Unavailable, "stopping"},
	} {
		_, err := w.Control.Upload(t.Context(), c.upload)
		if status.Code(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v about %s", name, err, c.code, c.says)
		}
	}
}
