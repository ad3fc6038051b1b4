package control_test

import (
	"os"
	"testing"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envWriter); path != "" {
		os.Exit(writer(path))
	}
	os.Exit(testenv.Main(m))
}
