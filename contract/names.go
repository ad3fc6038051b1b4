package contract

import (
	"fmt"
	"regexp"
	"strconv"
)

// jobName is a lower-case DNS label that begins with a letter, of at most
// MaxJobName characters.
var jobName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,47}[a-z0-9])?$`)

// CheckJobName says whether name may name a job or a service.
// Source: "Create jobs"; run.v2 protos, job_id.
func CheckJobName(name string) error {
	if jobName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q is not a valid name: want at most %d lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen", name, MaxJobName)
}

// nameAlphabet is what generated suffixes are made of.
const nameAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// ExecutionName names an execution of job: the job's name, a hyphen and five
// lower-case letters or digits drawn from random, which must hold five bytes.
func ExecutionName(job string, random [5]byte) string {
	suffix := make([]byte, len(random))
	for i, b := range random {
		suffix[i] = nameAlphabet[int(b)%len(nameAlphabet)]
	}
	return job + "-" + string(suffix)
}

// TaskName names the task of execution at index.
func TaskName(execution string, index int) string {
	return execution + "-task" + strconv.Itoa(index)
}
