package main

import (
	"errors"
	"fmt"
	"strings"
)

// readmeFile has the short table between two marks.
const (
	readmeFile  = "README.md"
	summaryMark = "<!-- contract: made by make contract -->\n"
	summaryEnd  = "<!-- end of contract -->\n"
)

// counts is the table of how many rows of each level hold where.
func (c *contract) counts() string {
	var out strings.Builder
	fmt.Fprintf(&out, "| level | rows | claimed | %s | %s | from outside |\n|---|---|---|---|---|---|\n", onHost, inVM)
	for _, l := range levels() {
		all, claimed, outside := 0, 0, 0
		var proved [hosts]int
		for _, r := range c.rows() {
			if r.level != l {
				continue
			}
			all++
			claimed += one(r.unclaimed == "")
			outside += one(c.fromOutside(r))
			for h := range hosts {
				proved[h] += one(c.proved(r, host(h)))
			}
		}
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %d |\n", l.meaning(), all, claimed, proved[onHost], proved[inVM], outside)
	}
	return out.String()
}

// meaning is the level in words.
func (l level) meaning() string {
	return map[level]string{must: "M, must hold", should: "S, should hold", preview: "P, preview"}[l]
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// rows are those of all sections.
func (c *contract) rows() (all []*row) {
	for _, s := range c.sections {
		all = append(all, s.rows...)
	}
	return all
}

// The ways in which a claimed row may stand on the two hosts other than proved on
// both, in the order in which they are listed.
var standings = [...]string{
	"Proved in the VM alone",
	"Proved on the host alone, failed or skipped in the VM",
	"Proved on the host alone, not run in the VM",
	"Claimed and proved on neither",
	"Claimed, without a test",
}

// standing is the index of the one that r has, or -1.
func (c *contract) standing(r *row) int {
	on, in := c.verdict(r, onHost), c.verdict(r, inVM)
	switch {
	case r.unclaimed != "" || on == passed && in == passed:
		return -1
	case r.open != "":
		return 4
	case in == passed:
		return 0
	case on == passed && in != notRun:
		return 1
	case on == passed:
		return 2
	}
	return 3
}

// differences lists the rows that are not proved on both hosts, and those that
// are not proved from outside.
func (c *contract) differences() string {
	var ids [len(standings)][]string
	var inside []string
	for _, r := range c.rows() {
		if i := c.standing(r); i >= 0 {
			ids[i] = append(ids[i], r.id)
		}
		if (c.proved(r, onHost) || c.proved(r, inVM)) && !c.fromOutside(r) {
			inside = append(inside, r.id)
		}
	}
	var out strings.Builder
	list := func(what string, ids []string) {
		if len(ids) > 0 {
			fmt.Fprintf(&out, "- %s: %d, %s.\n", what, len(ids), strings.Join(ids, ", "))
		}
	}
	for i, what := range standings {
		list(what, ids[i])
	}
	list("Proved by tests of parts, none of them from outside", inside)
	return out.String()
}

// summary is the short table for the front page.
func (c *contract) summary() string {
	var differ []string
	for _, r := range c.rows() {
		on, in := c.verdict(r, onHost), c.verdict(r, inVM)
		if r.unclaimed == "" && on != notRun && in != notRun && (on == passed) != (in == passed) {
			differ = append(differ, r.id)
		}
	}
	where := "no row that was tested on both"
	if len(differ) > 0 {
		where = strings.Join(differ, ", ")
	}
	return c.counts() + "\nThe two hosts differ on: " + where + ".\n"
}

// withSummary puts the short table between the marks of a text.
func withSummary(text, summary string) (string, error) {
	before, rest, begun := strings.Cut(text, summaryMark)
	_, after, ended := strings.Cut(rest, summaryEnd)
	if !begun || !ended {
		return "", errors.New(readmeFile + " lacks the two marks between which the table goes, " +
			strings.TrimSpace(summaryMark) + " and " + strings.TrimSpace(summaryEnd))
	}
	return before + summaryMark + "\n" + summary + "\n" + summaryEnd + after, nil
}

// writtenFile is a file of the module that this program writes, and its text.
type writtenFile struct{ path, text string }

// files are all files that are made of the contract, as they should be.
func (c *contract) files() ([]writtenFile, error) {
	readme, err := withSummary(c.texts[readmeFile], c.summary())
	if err != nil {
		return nil, err
	}
	return []writtenFile{
		{openFile, c.texts[openFile]},
		{resultsFile, c.results.text(c.tests(func(naming) bool { return true }))},
		{tableFile, c.full()},
		{readmeFile, readme},
	}, nil
}
