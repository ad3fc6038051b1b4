package control

import (
	"crypto/rand"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"

	"runnel/api"
	"runnel/contract"
)

// desired is what a request wants the job n to be: the fields that a client may
// set, as it has set them, and the defaults of the others.
func (c *Control) desired(from *runpb.Job, n name) *runpb.Job {
	job := wanted(proto.CloneOf(from))
	job.Name = n.String()
	if job.LaunchStage == gapi.LaunchStage_LAUNCH_STAGE_UNSPECIFIED {
		job.LaunchStage = gapi.LaunchStage_GA
	}
	return job
}

// complete checks a job that a request asks for and fills in what it leaves
// out. Paths of errors are those of the request's field "job".
func (c *Control) complete(job *runpb.Job, request string) error {
	translate := func(path string) string {
		switch {
		case path == "name" && request == createRequest:
			return "jobId"
		default:
			return "job." + path
		}
	}
	if err := api.ValidateJob(job); err != nil {
		return invalidResource(err, request, translate)
	}
	if err := checkImage(image(job)); err != nil {
		return invalid(request, api.FieldErrors{{Path: translate(imageField), Message: err.Error()}})
	}
	if _, err := proto.Marshal(job); err != nil {
		return violation("job", "holds text that is not UTF-8")
	}
	api.DefaultJob(job)
	if task := job.GetTemplate().GetTemplate(); task.GetServiceAccount() == "" {
		task.ServiceAccount = c.config.ServiceAccount
	}
	return nil
}

// Names of requests, as errors write them.
const (
	createRequest = "CreateJobRequest"
	updateRequest = "UpdateJobRequest"
	runRequest    = "RunJobRequest"
)

// image is the reference of a validated job's image.
func image(job *runpb.Job) string {
	return job.GetTemplate().GetTemplate().GetContainers()[0].GetImage()
}

// token names the execution that creating or updating the job starts, empty if
// none; wait says whether the job is only ready when that has succeeded.
func token(job *runpb.Job) (token string, wait bool) {
	if t, ok := job.GetCreateExecution().(*runpb.Job_RunExecutionToken); ok {
		return t.RunExecutionToken, true
	}
	return job.GetStartExecutionToken(), false
}

// sameDesire reports whether two jobs want the same, whoever wants it.
func sameDesire(a, b *runpb.Job) bool {
	a, b = wanted(a), wanted(b)
	a.Client, a.ClientVersion, b.Client, b.ClientVersion = "", "", "", ""
	return proto.Equal(a, b)
}

// wanted is the part of a job that a client may set. It shares what it has with
// the job.
func wanted(job *runpb.Job) *runpb.Job {
	return &runpb.Job{
		Labels:              job.GetLabels(),
		Annotations:         job.GetAnnotations(),
		Client:              job.GetClient(),
		ClientVersion:       job.GetClientVersion(),
		LaunchStage:         job.GetLaunchStage(),
		BinaryAuthorization: job.GetBinaryAuthorization(),
		Template:            job.GetTemplate(),
		CreateExecution:     job.GetCreateExecution(),
	}
}

// newJobID makes a name up for a job that was given none.
func newJobID() string {
	var random [5]byte
	_, _ = rand.Read(random[:]) // never fails
	return strings.ToLower(contract.ExecutionName("job", random))
}

// readyCondition is the type of a job's terminal condition.
const readyCondition = "Ready"

// ready is the terminal condition of a job that is ready, is not, or will be,
// as of its last update.
func ready(job *runpb.Job, state runpb.Condition_State, message string) *runpb.Condition {
	return &runpb.Condition{Type: readyCondition, State: state, Message: message, LastTransitionTime: job.GetUpdateTime()}
}
