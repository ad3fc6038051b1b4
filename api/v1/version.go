package v1

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// ResourceVersion is the version of an object that was last written at
// updated: its microseconds since 1970 as eight bytes, most significant first,
// in base64 without padding.
// Source: observed resource versions of Cloud Run.
func ResourceVersion(updated time.Time) string {
	return base64.RawStdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(updated.UnixMicro())))
}

// ParseResourceVersion returns the time that ResourceVersion wrote.
func ParseResourceVersion(version string) (time.Time, error) {
	data, err := base64.RawStdEncoding.DecodeString(version)
	if err != nil || len(data) != 8 {
		return time.Time{}, fmt.Errorf("%q is not a resource version: want it as it was read", version)
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(data))), nil
}
