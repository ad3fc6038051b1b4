package contract

import (
	"fmt"
	"strconv"
)

// CheckJobName says whether name may name a job or a service.
// Source: "Create jobs"; run.v2 protos, job_id.
func CheckJobName(name string) error {
	if len(name) <= MaxJobName && IsLabel(name) && name[0] >= 'a' {
		return nil
	}
	return fmt.Errorf("%q is not a valid name: want at most %d lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen", name, MaxJobName)
}

// IsLabel reports whether s is a DNS label in lower case: 1 to 63 letters,
// digits and hyphens, with no hyphen at either end.
// Source: RFC 1123, section 2.1.
//
// It is written out, and not a regular expression, because this package is
// linked into the program that every container's start executes.
func IsLabel(s string) bool {
	if len(s) == 0 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
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
