package main

import (
	"fmt"
	"strings"
)

// tableFile is the table of all rows.
const tableFile = "docs/contract.md"

const preamble = `# The contract, row by row

<!-- Made by make contract, of integration/contract/*.tsv, the tests, and docs/contract-results.tsv. -->

What containers, callers and operators can observe of Cloud Run, and of Kf's tasks, said again for one Linux host: one sentence a row. Rows of level M must hold, S should, P are previews. GPUs are left out: what a row says of them is not claimed. The last three sections are rows of our own: what Knative's conformance tests and OCI's validation look at where Cloud Run says nothing, registries that misbehave, and attacks.

A row is *proved* on a host, or from outside, if a test below *integration* that names it passed there, in the last recorded run of that test: these drive the built programs. *integration/contract* has one for each claimed row, called after it. It is proved *in parts* if only tests of single packages did. If one that names it failed there, it is not proved. A test that was skipped there proves nothing there: where others prove the row, it is proved *but for* those of *integration/contract* that were skipped. Tests that need nothing of a host are *not run* in the virtual machine. [CONTRIBUTING.md](../CONTRIBUTING.md#rows-of-the-contract) says how a test names a row.

## In short

`

// full is the text of docs/contract.md.
func (c *contract) full() string {
	var out strings.Builder
	out.WriteString(preamble)
	out.WriteString(c.counts())
	out.WriteString("\n" + list(c.standings()))
	for _, s := range c.sections {
		fmt.Fprintf(&out, "\n## %s\n\n| row | | what holds | tests | %s | %s |\n|---|---|---|---|---|---|\n", s.title, onHost, inVM)
		for _, r := range s.rows {
			fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", r.id, r.level, cell(r.holds), c.proof(r), c.shown(r, onHost), c.shown(r, inVM))
		}
	}
	return out.String()
}

// proof says which tests stand behind a row, or why there are none.
func (c *contract) proof(r *row) string {
	switch {
	case r.unclaimed != "":
		return "*not claimed:* " + cell(r.unclaimed)
	case r.open != "":
		return "*claimed, not yet proved by a test:* " + cell(r.open)
	}
	var out strings.Builder
	dir := ""
	for _, t := range c.testsOf(r) {
		switch {
		case dir == "":
			out.WriteString(t.dir + ": ")
		case dir == t.dir:
			out.WriteString(", ")
		default:
			out.WriteString("; " + t.dir + ": ")
		}
		dir = t.dir
		out.WriteString(t.name)
		if why := c.unproving(t); why != "" {
			out.WriteString(" (" + why + ")")
		}
	}
	return out.String()
}

// unproving says why a test proves nothing on any host; "" if it does.
func (c *contract) unproving(t test) string {
	worst := notRun
	for _, o := range c.results[t] {
		if o == passed {
			return ""
		}
		worst = max(worst, o)
	}
	return [...]string{notRun: "no run yet", skippedThere: "skipped", failed: "failed"}[worst]
}

// shown is the cell that says whether a row is proved on a host.
func (c *contract) shown(r *row, h host) string {
	switch {
	case r.unclaimed != "":
		return "–"
	case r.open != "":
		return "no test"
	}
	if c.fromOutside(r, h) {
		return "proved" + c.exceptions(r, h)
	}
	return [...]string{notRun: "not run", passed: "in parts", skippedThere: "skipped", failed: "failed"}[c.verdict(r, h)]
}

// exceptions names the tests of the suite that name r and were skipped on h, where
// others prove it.
func (c *contract) exceptions(r *row, h host) string {
	var skipped []string
	for _, t := range c.testsOf(r) {
		if t.dir == suiteDir && c.results[t][h] == skippedThere {
			skipped = append(skipped, t.name)
		}
	}
	if skipped == nil {
		return ""
	}
	return " but for " + strings.Join(skipped, ", ")
}

// cell is text within a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;").Replace(text)
}
