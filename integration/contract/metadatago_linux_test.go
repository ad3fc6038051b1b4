package contract

import (
	"encoding/json"
	"strings"
	"sync"

	"runnel/internal/inside/look"
)

// goAccount is whom the task runs as whose program uses Google's client for Go.
const goAccount = "gopher@demo.iam.gserviceaccount.com"

// goView is what Google's client for Go sees of the metadata server, and what
// its other libraries do.
type goView struct {
	look.Metadata
	library struct {
		Addresses, Names []string
		Universe         string
		TokenType        string
		TokenLength      int
		TokenLeft        float64
		Told             int
	}
}

// theGoView is what the one task has seen, for all tests.
var theGoView struct {
	look sync.Once
	seen *goView
}

// asGoSees is what a task has seen, which the first test to ask has run.
func asGoSees(m asker) goView {
	m.t.Helper()
	theGoView.look.Do(func() { theGoView.seen = lookAsGo(m) })
	if theGoView.seen == nil {
		m.t.Fatal("the task that uses Google's client for Go has seen nothing")
	}
	return *theGoView.seen
}

func lookAsGo(m asker) *goView {
	m.t.Helper()
	m.d.CLI("jobs", "deploy", "md-go", "--image", m.d.Host.Inside(), "--command", "sh", "--args", "-c,/inside report only=metadata && /inside google",
		"--cpu", "0.5", "--memory", "128Mi", "--service-account", goAccount, "--max-retries", "0", "--execute-now", "--wait").Exits(0)
	text := m.d.CLI("jobs", "logs", "md-go", "--format", "value(textPayload)").Exits(0).Stdout
	var report look.Report
	var seen goView
	printed := json.NewDecoder(strings.NewReader(text))
	err := printed.Decode(&report)
	if err == nil {
		err = printed.Decode(&seen.library)
	}
	if err != nil {
		m.t.Fatalf("%v in %s", err, text)
	}
	seen.Metadata = report.Metadata
	return &seen
}
