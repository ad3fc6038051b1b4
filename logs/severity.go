package logs

import (
	"slices"
	"strconv"
	"strings"
)

// Severities that this package gives.
const (
	severityDefault = "DEFAULT"
	severityInfo    = "INFO"
	severityWarning = "WARNING"
	severityError   = "ERROR"
)

// severityStep is between the numbers of one severity and the next.
// Source: Cloud Logging API v2, LogSeverity.
const severityStep = 100

// severityNames are all severities, the least first.
// Source: Cloud Logging API v2, LogSeverity.
func severityNames() []string {
	return []string{
		severityDefault, "DEBUG", severityInfo, "NOTICE", severityWarning,
		severityError, "CRITICAL", "ALERT", "EMERGENCY",
	}
}

// weigh is the place of a severity among all, 0 for DEFAULT and what is none.
func weigh(severity string) int { return max(0, slices.Index(severityNames(), severity)) }

// parseSeverity reads a severity: a name, in any case, one that logging
// libraries have for it, or a number.
func parseSeverity(s string) (name string, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch s {
	case "TRACE":
		return "DEBUG", true
	case "INFORMATION":
		return severityInfo, true
	case "WARN":
		return severityWarning, true
	case "ERR", "SEVERE":
		return severityError, true
	case "CRIT", "FATAL":
		return "CRITICAL", true
	case "EMERG", "PANIC":
		return "EMERGENCY", true
	}
	all := severityNames()
	if slices.Contains(all, s) {
		return s, true
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n%severityStep != 0 || n/severityStep >= len(all) {
		return "", false
	}
	return all[n/severityStep], true
}
