package main

import (
	"fmt"
	"io"
	"strings"

	"runnel/internal/inside/look"
)

// help tells how it is used.
func help(w io.Writer) {
	fmt.Fprintf(w, `inside looks at a container platform from inside a container.

	inside                          print a report in JSON, or serve where PORT is set
	inside ACTION [NAME=VALUE ...]  do one thing and print what came of it in JSON
	inside serve                    serve all of it over HTTP at PORT, or 8080

Served, an action is a path and its values are a query:

	GET /report?only=limits,env     GET /write?path=/tmp/x&mib=10

What it is told to write, to open or to run it does; apart from that it changes
nothing. Of tokens it prints everything but the token.

Actions:

`)
	for _, a := range actions(look.Beginning{}) {
		fmt.Fprintf(w, "  %-9s %-33s %s\n", a.name, a.takes, a.does)
	}
	fmt.Fprintf(w, "\nSections of a report, for only=:\n\n  %s\n", strings.Join(look.Sections(), " "))
}
