// This keeps the runtime from holding files of the cgroup's open, which the
// report would show.
//
//go:debug containermaxprocs=0

// Command inside looks at a container platform from inside a container. As a
// job or any other program it prints a report, or does one thing and prints what
// came of it; as a service, which has a PORT, it serves the same over HTTP. See
// --help.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"runnel/internal/inside/look"
)

func main() {
	start := look.AtStart()
	if err := run(context.Background(), start, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "inside:", err)
		os.Exit(1)
	}
}

// run does what the arguments, or else the environment, ask for.
func run(ctx context.Context, start look.Beginning, args []string) error {
	name := "report"
	if os.Getenv("PORT") != "" {
		name = "serve"
	}
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		name, args = args[0], args[1:]
	}
	switch strings.TrimLeft(name, "-") {
	case "help", "h":
		help(os.Stdout)
		return nil
	case "serve":
		return serve(start)
	}
	for _, a := range actions(start) {
		if a.name == name {
			return a.print(ctx, os.Stdout, values(args))
		}
	}
	return fmt.Errorf("there is no %q, see inside --help", name)
}

// print does it and writes what came of it. The lines are indented, which keeps
// them short, and none is an object of its own that a log would take apart.
func (a action) print(ctx context.Context, w io.Writer, v url.Values) error {
	result, err := a.do(ctx, v)
	if err != nil {
		return err
	}
	return encode(w, result)
}

func encode(w io.Writer, result any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(result)
}

// values reads NAME=VALUE. What has no name is an argument of run's.
func values(args []string) url.Values {
	v := url.Values{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok {
			name, value = "arg", a
		}
		v.Add(name, value)
	}
	return v
}
