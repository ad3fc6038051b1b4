package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"runnel/internal/inside/look"
)

// action is one thing that the program does when it is told.
type action struct {
	name string
	// takes are the values that it takes, does what it does, for people.
	takes, does string
	do          func(context.Context, url.Values) (any, error)
}

// actions are all of them.
func actions(start look.Beginning) []action {
	return []action{
		{"report", "[only=SECTION,...]", "what there is to see", func(ctx context.Context, v url.Values) (any, error) {
			return report(ctx, start, v)
		}},
		{"child", "[only=SECTION,...]", "the report of a child of this process, which it starts", child},
		{"open", "[most=N] [path=/dev/null]", "open files until that fails, and close them again", openFiles},
		{"raise", "soft=N hard=N", "ask for another limit of open files", raise},
		{"write", "path=P [text=T] [mib=N]", "write a file, and tell the memory that the cgroup used before and after", write},
		{"read", "path=P", "the beginning of a file, up to 64 KiB", read},
		{"try", "path=P", "whether a path can be read and written", try},
		{"memory", "mib=N", "take memory and keep it", memory},
		{"spin", "[threads=N] [for=500ms]", "compute with that many threads, and tell the CPU time that they had and how often they took turns", spin},
		{"signals", "[for=10s] [until=N]", "tell the signals that come, until that many have", catch},
		{"run", "ARG... | arg=A&arg=B", "run a program, and tell what it printed and how it ended", runProgram},
		{"orphan", "", "leave a grandchild behind, and tell whose child it is then", orphan},
		{"leave", "", "start a process that waits for a minute, and end", leave},
		{"connect", "address=A [network=tcp] [for=5s]", "connect to an address, and tell what came of it", connect},
		{"google", "", "what Google's libraries and the resolver make of the metadata server", useLibraries},
		{"sniff", "[for=5s]", "tell the kinds of frames that come in at eth0", sniff},
		{"forge", "mac=M address=A router=M gateway=A", "send another instance frames that it must not get", forge},
		{"exit", "[code=N] [signal=N]", "end; process 1 by signals 7 and 11 alone", exit},
	}
}

// report is the report, or some sections of it.
func report(ctx context.Context, start look.Beginning, v url.Values) (any, error) {
	only := sections(v)
	for _, s := range only {
		if !slices.Contains(look.Sections(), s) {
			return nil, fmt.Errorf("a report has no section %q", s)
		}
	}
	return look.Around(ctx, start, only...).Only(only...)
}

func sections(v url.Values) (only []string) {
	return strings.FieldsFunc(strings.Join(v["only"], ","), func(r rune) bool { return r == ',' })
}

// number is a value that is one, or what it is where there is none.
func number(v url.Values, name string, otherwise int) (int, error) {
	if !v.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v.Get(name))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// duration is a value that is one, or what it is where there is none.
func duration(v url.Values, name string, otherwise time.Duration) (time.Duration, error) {
	if !v.Has(name) {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v.Get(name))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// outcome is an error as part of an answer.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
