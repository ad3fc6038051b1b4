package serving

import "time"

// steadyTime is how long a container of a worker pool has to run before it counts
// as well, where no start-up probe tells: one that cannot even begin its work,
// for want of a file or a setting, has ended by then, and its deployment fails.
// Cloud Run's own time is not known.
const steadyTime = 500 * time.Millisecond

// nowhere is the place of the container that takes requests where none does.
const nowhere = -1

// serves reports whether instances take requests: those of services do. Those of
// worker pools fetch their work, so they have no port, are as many as are asked
// for, and are ready when their containers are well.
func (p *plan) serves() bool { return p.ingress != nowhere }

// kind is what logs call what the revision is one of.
func (p *plan) kind() string {
	if p.serves() {
		return "service"
	}
	return "workerPool"
}
