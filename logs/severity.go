package logs

import (
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

// severities are those of Cloud Logging, with their weights.
// Source: Cloud Logging API v2, LogSeverity.
var severities = map[string]int{
	severityDefault: 0, "DEBUG": 100, severityInfo: 200, "NOTICE": 300, severityWarning: 400,
	severityError: 500, "CRITICAL": 600, "ALERT": 700, "EMERGENCY": 800,
}

// aliases are how logging libraries call some of them.
var aliases = map[string]string{
	"TRACE": "DEBUG", "INFORMATION": severityInfo, "WARN": severityWarning, "ERR": severityError,
	"SEVERE": severityError, "CRIT": "CRITICAL", "FATAL": "CRITICAL", "PANIC": "EMERGENCY", "EMERG": "EMERGENCY",
}

// parseSeverity reads a severity: a name, in any case, or a weight.
func parseSeverity(s string) (name string, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if alias, ok := aliases[s]; ok {
		return alias, true
	}
	if _, ok := severities[s]; ok {
		return s, true
	}
	weight, err := strconv.Atoi(s)
	if err != nil {
		return "", false
	}
	for name, w := range severities {
		if w == weight {
			return name, true
		}
	}
	return "", false
}
