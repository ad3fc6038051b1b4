package control

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Etag is the etag of the version of a resource that was written at updated, to
// the microsecond. It is a quoted string: the quotes are part of it.
// Source: observed etags of Cloud Run.
func Etag(name string, updated time.Time) string {
	stamp, _ := proto.Marshal(timestamppb.New(updated.Truncate(time.Microsecond))) // never fails
	return `"` + base64.StdEncoding.EncodeToString(stamp) + "/" +
		base64.StdEncoding.EncodeToString([]byte(name)) + `"`
}

// checkEtag says whether a caller that has seen the version of name with the
// etag given may change the current one. An empty etag asks for nothing.
func checkEtag(name, given string, updated time.Time) error {
	if given == "" || unquote(given) == unquote(Etag(name, updated)) {
		return nil
	}
	return status.Errorf(codes.Aborted, "Conflict for resource '%s': version '%s' was specified but current version is '%d'.",
		split(name).id(), version(given), updated.UnixMicro())
}

// unquote takes away the quotes that some clients leave out.
func unquote(etag string) string { return strings.Trim(etag, `"`) }

// version is when the version with the etag was written, in microseconds since
// the epoch, or the etag itself if it is none of ours. The slash that parts
// stamp and name is not the only one: base64 has it too.
func version(etag string) string {
	text := unquote(etag)
	for i, c := range text {
		if c != '/' {
			continue
		}
		stamp, err1 := base64.StdEncoding.DecodeString(text[:i])
		name, err2 := base64.StdEncoding.DecodeString(text[i+1:])
		at := &timestamppb.Timestamp{}
		if err1 == nil && err2 == nil && strings.HasPrefix(string(name), levels[atProject].collection+"/") && proto.Unmarshal(stamp, at) == nil {
			return strconv.FormatInt(at.AsTime().UnixMicro(), 10)
		}
	}
	return etag
}

// now is the time, as exact as versions are.
func now() time.Time { return time.Now().Truncate(time.Microsecond).UTC() }

// after is now, or the next moment after the version that was written at at:
// no two versions of a resource have the same time.
func after(at *timestamppb.Timestamp) *timestamppb.Timestamp {
	t := now()
	if at != nil {
		if next := at.AsTime().Truncate(time.Microsecond).Add(time.Microsecond); t.Before(next) {
			t = next
		}
	}
	return timestamppb.New(t)
}
