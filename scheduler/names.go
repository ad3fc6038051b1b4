package scheduler

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"path"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/metadata"
)

const (
	// maxInstanceName is how long the ID of an instance may be: a DNS label.
	maxInstanceName = 63
	// uidDigits of an execution's UID, 48 random bits, tell its instances from
	// those of all others, also of one that has the same name in another
	// project or had it before.
	uidDigits = 12
)

// InstanceID is the ID of the instance of one attempt, both counted from 0: the
// execution's short name, cut where that leaves no room, the beginning of its
// UID, index and attempt. It is unique on the host and always the same.
func InstanceID(x *runpb.Execution, index, attempt int) string {
	uid := strings.ReplaceAll(x.GetUid(), "-", "")
	uid = "-" + uid[:min(len(uid), uidDigits)]
	name := path.Base(x.GetName())
	name = name[:min(len(name), maxInstanceName-len(uid)-len("-9999-10"))]
	return strings.TrimRight(name, "-") + uid + "-" + strconv.Itoa(index) + "-" + strconv.Itoa(attempt)
}

// PublicID is what the instance with that ID, of the execution with that UID, is
// told to be, and what its logs call it: always the same.
func PublicID(uid, instance string) string { return metadata.DeriveInstanceID(uid + "/" + instance) }

// newExecutionName draws the name of an execution of job.
func newExecutionName(job string) string {
	var random [5]byte
	_, _ = rand.Read(random[:]) // never fails
	return contract.ExecutionName(job, random)
}

// newUID draws a version 4 UUID.
func newUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	return uuid(u)
}

// taskUID is the UUID of the task at index of the execution with the UUID
// execution: always the same one, so that nobody has to remember it.
func taskUID(execution string, index int) string {
	return uuidOf(execution + "/" + strconv.Itoa(index))
}

// uuidOf is a UUID that is always the same for name, and no other's.
func uuidOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return uuid([16]byte(sum[:16]))
}

// uuid writes random bytes as a version 4 UUID.
func uuid(u [16]byte) string {
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// jobPath gives a job's full resource name and its short one, from either.
func jobPath(name, project, region string) (full, short string) {
	if strings.Contains(name, "/") {
		return name, path.Base(name)
	}
	return "projects/" + project + "/locations/" + region + "/jobs/" + name, name
}
