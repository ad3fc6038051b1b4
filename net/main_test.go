package net

import (
	"os"
	"testing"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(envRole); role != "" {
		os.Exit(play(role))
	}
	os.Exit(testenv.Main(m))
}
