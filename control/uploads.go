package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/store"
)

// Upload is what an image is to be made of.
type Upload struct {
	// Base is the image that Body is laid on, as the tar of a layer; programs
	// start in contract.SourceDir. Where it is empty, Body is an archive of an
	// image.
	Base string
	// Name is how the image is called where people see it; "image" if empty.
	Name string
	// Body is read once. A read must end when the context does.
	Body io.Reader
	// MaxBytes is how much is taken of it, and of what it inflates to.
	MaxBytes int64
}

// defaultUploadName is that of an upload without one.
const defaultUploadName = "image"

// Upload makes an image and returns the reference to deploy it by, which has its
// digest. It is kept for as long as a resource names it, and for a while before
// that. A body that is too large is OUT_OF_RANGE, and one that is no image
// INVALID_ARGUMENT.
func (c *Control) Upload(ctx context.Context, u Upload) (reference string, err error) {
	name := u.Name
	if name == "" {
		name = defaultUploadName
	}
	if err := checkUpload(name, u.Base); err != nil {
		return "", err
	}
	var img *rimage.Image
	body := rimage.Upload{Body: u.Body, MaxBytes: u.MaxBytes}
	if u.Base != "" {
		img, err = c.config.Images.AddLayer(ctx, u.Base, contract.SourceDir, body)
	} else {
		img, err = c.config.Images.AddArchive(ctx, body)
	}
	if err != nil {
		return "", uploadError(ctx, err)
	}
	return rimage.UploadReference(name, img.Digest), nil
}

// checkUpload refuses what no image can be called or laid on.
func checkUpload(name, base string) error {
	const any = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	if strings.ContainsAny(name, ":@") || rimage.UploadDigest(rimage.UploadReference(name, any)) != any {
		return status.Errorf(codes.InvalidArgument, "name %q: want lower-case letters and digits, parted by one of . _ - /", name)
	}
	if base == "" {
		return nil
	}
	if err := checkImage(base); err != nil {
		return status.Errorf(codes.InvalidArgument, "base image %v", err)
	}
	return nil
}

// uploadError says to a caller why there is no image.
func uploadError(ctx context.Context, err error) error {
	var said interface{ GRPCStatus() *status.Status }
	switch {
	case errors.As(err, &said):
		return said.GRPCStatus().Err() // whoever gave the body has ended it
	case ctx.Err() != nil:
		return contextError(ctx)
	case errors.Is(err, rimage.ErrNoSpace):
		return unavailable(err)
	case errors.Is(err, rimage.ErrBase) && mayPass(err):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, rimage.ErrBase):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, rimage.ErrTooLarge):
		return status.Error(codes.OutOfRange, err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "upload: nothing of it came for too long")
	case errors.Is(err, io.ErrUnexpectedEOF), isBadImage(err):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return status.Error(codes.Internal, fmt.Sprintf("cannot store the upload: %v", err))
}

// isBadImage reports whether an upload is no image, or not one to be run.
func isBadImage(err error) bool {
	for _, bad := range []error{rimage.ErrInvalidLayer, rimage.ErrInvalidManifest, rimage.ErrNotFound, rimage.ErrPlatform, rimage.ErrDigest} {
		if errors.Is(err, bad) {
			return true
		}
	}
	return false
}

// namedUploads are the digests of the uploads that jobs, services, worker pools,
// revisions and executions name. No registry has them: they stay also where what
// names them has not come to use them, or has failed.
func namedUploads(tx *store.Tx, unfinished []string) (digests []string) {
	add := func(reference string) {
		if d := rimage.UploadDigest(reference); d != "" {
			digests = append(digests, d)
		}
	}
	for e := range tx.Newest(kindPins, "") {
		add(getPin(tx, e.Name).Reference)
	}
	for _, name := range unfinished {
		add(getNote(tx, name).Reference)
	}
	for e := range tx.Newest(kindRevisionNotes, "") {
		if of := getRevisionNote(tx, e.Name); len(of.Digests) == 0 && !isBroken(getRevision(tx, e.Name)) {
			for _, reference := range of.References {
				add(reference)
			}
		}
	}
	for _, kind := range []store.Kind{kindServices, kindWorkerPools} {
		for e := range tx.Newest(kind, "") {
			for _, container := range getService(tx, e.Name).GetTemplate().GetContainers() {
				add(container.GetImage())
			}
		}
	}
	return digests
}
