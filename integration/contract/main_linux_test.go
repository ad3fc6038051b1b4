package contract

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Tests mostly wait: for a container to start, for ten seconds to pass.
	atOnce := "12"
	if os.Getenv(testenv.EnvVM) == "1" {
		atOnce = "4"
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	code := testenv.Main(m, &shared.suite)
	shared.images.Remove()
	os.Exit(code)
}

// shared is what all tests use.
var shared struct {
	suite  testenv.Suite
	images rig.Images
	start  sync.Once
	daemon *rig.Daemon
}

// daemon is the daemon that all tests share, started by the first. The test runs
// beside others from here on.
func daemon(t *testing.T) *rig.Daemon {
	t.Helper()
	testenv.Root(t)
	t.Parallel()
	shared.start.Do(func() {
		shared.daemon = rig.Open(&shared.suite, &shared.images).ServeRequests()
	})
	if shared.daemon == nil {
		t.Fatal("the daemon that all tests share has not started")
	}
	return shared.daemon.For(t)
}

// rowOf is how the name of a test names its row.
var rowOf = regexp.MustCompile(`^Test([A-Z]+[0-9]+[a-z]?)`)

// nameOf is a name for what a test makes, which nothing else has: its row's, in
// small letters, with what follows.
func nameOf(t *testing.T, more ...string) string {
	t.Helper()
	m := rowOf.FindStringSubmatch(t.Name())
	if m == nil {
		t.Fatalf("%s does not begin with a row's name, such as TestENV1", t.Name())
	}
	return strings.ToLower(strings.Join(append([]string{m[1]}, more...), "-"))
}
