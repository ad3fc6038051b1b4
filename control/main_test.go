package control_test

import (
	"os"
	"testing"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
