package serving

import (
	"time"

	"runnel/contract"
)

// Severities of lines.
const (
	info    = "INFO"
	warning = "WARNING"
	failed  = "ERROR"
)

// say tells something of an instance; container is the name of the one that it
// is about, if it is about one.
func (l *loop) say(i *instance, container, severity, text string) {
	if l.fleet.isDetached() {
		return
	}
	l.fleet.config.Tell(Line{
		Time: time.Now(), Revision: l.plan.name, Instance: i.spec.ID, Container: container,
		Severity: severity, Text: text,
	})
}

// sayExit tells how an instance has ended by itself.
func (l *loop) sayExit(i *instance) {
	switch {
	case i.unseen != nil || i.exit.Lost:
		return
	case i.exit.OOMKilled:
		l.say(i, "", failed, contract.MemoryLine(l.plan.need.Memory, i.exit.MemoryPeak))
	}
	container := ""
	if n := i.exit.Container; n < len(l.plan.containers) {
		container = l.plan.containers[n].name
	}
	l.say(i, container, warning, i.exit.ExitLine())
}
