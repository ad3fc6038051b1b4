package integration

import (
	"os"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

func TestMain(m *testing.M) {
	code := testenv.Main(m)
	shared.Remove()
	os.Exit(code)
}

// shared are the images that several tests use.
var shared rig.Images

// openHost readies the host for one test.
func openHost(t *testing.T) *rig.Host {
	t.Helper()
	return rig.Open(t, &shared)
}
