// Package doctor finds out whether this host offers what Runnel needs.
//
// It tries the real thing wherever it can (an overlay mount, a bridge, an
// nftables transaction), in namespaces of its own that vanish with the trial,
// so that nothing is changed and nothing stays. The trials need root; without
// it they are reported as missing, and the rest is examined all the same.
package doctor

import (
	"context"
	"errors"
)

// Status is the verdict on one thing.
type Status string

// The verdicts.
const (
	// OK: the host offers it.
	OK Status = "ok"
	// Degraded: jobs run, but not everything is as Cloud Run promises it.
	Degraded Status = "degraded"
	// Missing: jobs cannot run, or not safely.
	Missing Status = "missing"
)

// Finding is what was found out about one thing.
type Finding struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail is what was seen.
	Detail string `json:"detail"`
	// Advice is what to do about it; empty if there is nothing to do.
	Advice string `json:"advice,omitempty"`
}

// Config says what to look at beside the host itself.
type Config struct {
	// StateDir is where images and state go; it need not exist yet.
	StateDir string
	// Shim is the path of runnel-shim, or ShimErr why there is none.
	Shim    string
	ShimErr error
}

// Examine looks at everything, in a fixed order. When ctx ends it returns what
// it has found so far.
func Examine(ctx context.Context, cfg Config) []Finding {
	var findings []Finding
	for _, check := range []func() Finding{
		kernel,
		root,
		capabilities,
		namespaces,
		controlGroups,
		overlay,
		seccomp,
		bridge,
		nftables,
		forwarding,
		resolver,
		openFiles,
		func() Finding { return disk(cfg.StateDir) },
		func() Finding { return shim(cfg.Shim, cfg.ShimErr) },
		avx2,
		clock,
		dmi,
	} {
		if ctx.Err() != nil {
			return findings
		}
		findings = append(findings, check())
	}
	return findings
}

// Healthy reports whether nothing is missing.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Status == Missing {
			return false
		}
	}
	return true
}

// ok, degraded and missing make findings.
func ok(name, detail string) Finding { return Finding{Name: name, Status: OK, Detail: detail} }

func degraded(name, detail, advice string) Finding {
	return Finding{Name: name, Status: Degraded, Detail: detail, Advice: advice}
}

func missing(name, detail, advice string) Finding {
	return Finding{Name: name, Status: Missing, Detail: detail, Advice: advice}
}

// tried is the finding about a trial that ended with err.
func tried(name, detail, advice string, err error) Finding {
	switch {
	case errors.Is(err, errNeedsRoot):
		return missing(name, err.Error(), "run with sudo")
	case err != nil:
		return missing(name, err.Error(), advice)
	}
	return ok(name, detail)
}
