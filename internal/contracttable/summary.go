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
	fmt.Fprintf(&out, "| level | rows | claimed | proved: %s | from outside | proved: %s | from outside |\n|---|---|---|---|---|---|---|\n", onHost, inVM)
	for _, l := range levels() {
		all, claimed := 0, 0
		var proved, outside [hosts]int
		for _, r := range c.rows() {
			if r.level != l {
				continue
			}
			all++
			claimed += one(r.unclaimed == "")
			for h := range hosts {
				proved[h] += one(c.proved(r, host(h)))
				outside[h] += one(c.fromOutside(r, host(h)))
			}
		}
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %d | %d |\n",
			l.meaning(), all, claimed, proved[onHost], outside[onHost], proved[inVM], outside[inVM])
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

// standing is a way in which claimed rows fall short of being proved from outside
// on both hosts, and which do.
type standing struct {
	what string
	ids  []string
}

// standings are all of them, those first in which the hosts differ. Each claimed
// row that falls short is in one.
func (c *contract) standings() []standing {
	all := []standing{
		{what: "From outside in the VM alone"},
		{what: "From outside on the host alone"},
		{what: "By tests of parts alone"},
		{what: "Claimed, and proved on neither"},
		{what: "Claimed, without a test"},
	}
	for _, r := range c.rows() {
		if i := c.standingOf(r); i >= 0 {
			all[i].ids = append(all[i].ids, r.id)
		}
	}
	return all
}

// standingOf is the index of that of r, or -1.
func (c *contract) standingOf(r *row) int {
	on, in := c.fromOutside(r, onHost), c.fromOutside(r, inVM)
	switch {
	case r.unclaimed != "" || on && in:
		return -1
	case r.open != "":
		return 4
	case in:
		return 0
	case on:
		return 1
	case c.proved(r, onHost) || c.proved(r, inVM):
		return 2
	}
	return 3
}

// list has a line for each of those that any row is in.
func list(standings []standing) string {
	var out strings.Builder
	for _, s := range standings {
		if len(s.ids) > 0 {
			fmt.Fprintf(&out, "- %s, %d: %s.\n", s.what, len(s.ids), ids(s.ids))
		}
	}
	return out.String()
}

// summary is the short table for the front page, and where the hosts differ.
func (c *contract) summary() string {
	text := c.counts()
	if differ := list(c.standings()[:2]); differ != "" {
		text += "\nThe two hosts differ:\n\n" + differ
	}
	return text
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
