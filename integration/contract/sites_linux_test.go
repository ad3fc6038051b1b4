package contract

import (
	"io"
	"net/http"
	"path"
	"strings"
	"testing"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/integration/rig"
)

// here is where what names neither project nor region is.
const here = "projects/local/locations/us-central1"

// knative is where version 1 of the API has it.
const knative = "/apis/serving.knative.dev/v1/namespaces/local"

// ownService is a service of a test's own, which goes at its end.
type ownService struct {
	*rig.Daemon
	t    *testing.T
	name string
	// place is its project and region.
	place string
}

// serviceOf is the service that is called after a test, not deployed yet.
func serviceOf(t *testing.T, d *rig.Daemon, more ...string) *ownService {
	t.Helper()
	s := &ownService{d, t, nameOf(t, more...), here}
	t.Cleanup(func() { remove(d, s.call) })
	return s
}

// remove takes away a service or a worker pool, by its calls, and waits until it
// is gone, so that the test may run once more. It may never have come to be.
func remove(d *rig.Daemon, call func(method, below, body string) rig.Answer) {
	d.Host.Helper()
	if call(http.MethodDelete, "", "").Code == http.StatusNotFound {
		return
	}
	d.Until("what the test has deployed is gone", func() bool {
		return call(http.MethodGet, "", "").Code == http.StatusNotFound
	})
}

// deploys deploys the test server for everybody: small, and without the start
// that would show whether a revision works, which those alone need that are
// looked at from inside. Flags win over that.
func (s *ownService) deploys(flags ...string) rig.Result {
	s.t.Helper()
	return s.Deploy(s.name, append([]string{"--memory", "128Mi", "--no-deploy-health-check"}, flags...)...)
}

// starts deploys and has an instance start.
func (s *ownService) starts(flags ...string) rig.Result {
	s.t.Helper()
	return s.Deploy(s.name, append([]string{"--memory", "128Mi", "--deploy-health-check"}, flags...)...)
}

// verb runs a verb of services on it.
func (s *ownService) verb(verb string, flags ...string) rig.Result {
	s.t.Helper()
	return s.CLI(append([]string{"services", verb, s.name}, flags...)...)
}

// asked is what it answers at a path, to what header says.
func (s *ownService) asked(path string, header ...string) rig.Answer {
	s.t.Helper()
	return s.started(func() rig.Answer { return s.Get(s.name, path, header...) })
}

// tagged is what is answered where a tag leads.
func (s *ownService) tagged(tag, path string, header ...string) rig.Answer {
	s.t.Helper()
	return s.started(func() rig.Answer { return s.Get(tag+"---"+s.name, path, header...) })
}

// started asks until an instance is there: on a slow host it takes longer to start
// than a request waits.
func (s *ownService) started(ask func() rig.Answer) (a rig.Answer) {
	s.t.Helper()
	s.Eventually("an instance of "+s.name+" is there", func() bool {
		a = ask()
		return a.Code != http.StatusTooManyRequests
	})
	return a
}

// call sends a request about it, or about what is below it, to version 2 of the API.
func (s *ownService) call(method, below, body string) rig.Answer {
	s.t.Helper()
	return apiCall(s.Daemon, method, "/v2/"+s.full()+below, body)
}

// full is its full name.
func (s *ownService) full() string { return s.place + "/services/" + s.name }

// apiCall sends a request to a daemon's API.
func apiCall(d *rig.Daemon, method, path, body string) rig.Answer {
	d.Host.Helper()
	c := d.HTTPClient()
	defer c.CloseIdleConnections()
	var text io.Reader
	if body != "" {
		text = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, "http://daemon"+path, text)
	if err != nil {
		d.Host.Fatal(err)
	}
	return rig.Do(c, r)
}

// is the service as version 2 of the API has it.
func (s *ownService) is() *runpb.Service {
	s.t.Helper()
	c, err := run.NewServicesRESTClient(s.t.Context(), s.REST()...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	v, err := c.GetService(s.t.Context(), &runpb.GetServiceRequest{Name: s.full()})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// change changes what a mask names, and waits until that is done or has failed.
func (s *ownService) change(mask string, change func(v *runpb.Service)) error {
	s.t.Helper()
	c, err := run.NewServicesRESTClient(s.t.Context(), s.REST()...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	v := s.is()
	v.Etag = ""
	change(v)
	op, err := c.UpdateService(s.t.Context(), &runpb.UpdateServiceRequest{Service: v, UpdateMask: &fieldmaskpb.FieldMask{Paths: strings.Split(mask, ",")}})
	if err != nil {
		return err
	}
	s.Until("the change of "+s.name+" is made", func() bool { // Wait begins with a second
		_, err = op.Poll(s.t.Context())
		return op.Done() || err != nil
	})
	return err
}

// revisions are those that it has, the newest first.
func (s *ownService) revisions() []*runpb.Revision {
	s.t.Helper()
	return revisionsBelow(s.t, s.Daemon, s.full())
}

// revisionsBelow are those of a service or a worker pool, the newest first.
func revisionsBelow(t *testing.T, d *rig.Daemon, full string) (all []*runpb.Revision) {
	t.Helper()
	c, err := run.NewRevisionsRESTClient(t.Context(), d.REST()...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for it := c.ListRevisions(t.Context(), &runpb.ListRevisionsRequest{Parent: full, PageSize: 1000}); ; {
		r, err := it.Next()
		if err == iterator.Done {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

// latest is the short name of its latest revision that is ready.
func (s *ownService) latest() string {
	s.t.Helper()
	return path.Base(s.is().GetLatestReadyRevision())
}

// said is all that the logs hold of it, a line each.
func (s *ownService) said() string {
	s.t.Helper()
	return s.CLI("services", "logs", s.name, "--system", "--format", "value(textPayload)").Exits(0).Stdout
}

// says waits until the logs hold every one of texts, and gives them.
func (s *ownService) says(texts ...string) (log string) {
	s.t.Helper()
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the log of %s:\n%s", s.name, rig.Clip(log))
		}
	}()
	s.Until("the log of "+s.name+" has "+strings.Join(texts, " and "), func() bool {
		log = s.said()
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
	return log
}

// answers counts what n requests are answered by revision.
func (s *ownService) answers(n int) map[string]int {
	s.t.Helper()
	client, counts := s.Requests(), map[string]int{}
	for range n {
		a := s.started(func() rig.Answer { return s.Ask(client, http.MethodGet, s.name, "/", nil) })
		if a.Err != nil || a.Code != http.StatusOK {
			s.t.Fatalf("%d %v\n%s", a.Code, a.Err, rig.Clip(a.Body))
		}
		counts[strings.TrimSpace(strings.TrimPrefix(a.Body, s.name+" "))]++
	}
	return counts
}
