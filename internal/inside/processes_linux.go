package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
)

// child starts this program again and gives what it reports.
func child(ctx context.Context, v url.Values) (any, error) {
	out, err := exec.CommandContext(ctx, "/proc/self/exe", "report", "only="+strings.Join(sections(v), ",")).Output()
	if err != nil {
		return nil, fmt.Errorf("run the child: %w", err)
	}
	return json.RawMessage(out), nil
}

// runProgram runs a program to its end.
func runProgram(ctx context.Context, v url.Values) (any, error) {
	args := v["arg"]
	if len(args) == 0 {
		return nil, errors.New("there is nothing to run")
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	ended := map[string]any{"stdout": stdout.String(), "stderr": stderr.String(), "error": outcome(err)}
	if cmd.ProcessState != nil {
		ended["code"] = cmd.ProcessState.ExitCode()
	}
	return ended, nil
}
