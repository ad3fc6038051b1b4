package services

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/stages"
)

// What is said of the generation before says nothing of this one.
// contract: CLI-8
func TestConditionsOfAnOlderGenerationAreNotShown(t *testing.T) {
	t.Parallel()
	for observed, want := range map[int64]string{1: "Deploying...\nDone.\n", 2: "Deploying...\nCreating Revision... done\nRouting traffic... done\nDone.\n"} {
		var out strings.Builder
		s := &submission{commands: newCommands(cli.Env{Stderr: &out})}
		p := s.newProgress(release.Words{Header: "Deploying..."})
		p.Show(&runpb.Service{Generation: 2, ObservedGeneration: observed, Conditions: []*runpb.Condition{
			{Type: release.ConfigurationsReady, State: runpb.Condition_CONDITION_SUCCEEDED},
			{Type: release.RoutesReady, State: runpb.Condition_CONDITION_SUCCEEDED},
		}})
		p.Tracker.Close(stages.Done, "Done.")
		if out.String() != want {
			t.Errorf("generation %d of 2 was seen:\n%swant\n%s", observed, out.String(), want)
		}
	}
}
