package scheduler

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"

	"runnel/contract"
)

// maxInstanceName is how long the ID of an instance may be: a DNS label.
const maxInstanceName = 63

// instanceName is the ID of one attempt's instance on this host: the
// execution's name, the task's index, the attempt. An execution's name that
// leaves no room for these is cut and told apart from others by its hash.
func instanceName(execution string, index, attempt int) string {
	suffix := "-" + strconv.Itoa(index) + "-" + strconv.Itoa(attempt)
	if len(execution)+len(suffix) <= maxInstanceName {
		return execution + suffix
	}
	hash := sha256.Sum256([]byte(execution))
	sum := "-" + hex.EncodeToString(hash[:8])
	kept := execution[:maxInstanceName-len(sum)-len("-9999-10")]
	return strings.TrimRight(kept, "-") + sum + suffix
}

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
	sum := sha256.Sum256([]byte(execution + "/" + strconv.Itoa(index)))
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
