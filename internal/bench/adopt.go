package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
)

// adoptions measures how long a daemon takes to answer whose predecessor was
// killed while instances ran: it has taken all of them over by then.
type adoptions struct {
	instances int
	none, all spread
}

func (a *adoptions) round(ctx context.Context, _ config, d *daemon, ref string) error {
	a.instances = min(mostAdopted, 1000*runtime.NumCPU()/leastCPU)
	took, _, err := d.restart(ctx)
	if err != nil {
		return err
	}
	a.none = append(a.none, took)
	w := idle("many", ref, fmt.Sprintf("0.%03d", leastCPU), a.instances, a.instances)
	w.memory = "128Mi"
	if err := d.create(ctx, w); err != nil {
		return err
	}
	o, err := d.run(ctx, "many")
	if err != nil {
		return err
	}
	if err := d.running(ctx, o.Metadata.Name, a.instances); err != nil {
		return err
	}
	if took, _, err = d.restart(ctx); err != nil {
		return err
	}
	a.all = append(a.all, took)
	if err := d.running(ctx, o.Metadata.Name, a.instances); err != nil {
		return err
	}
	return d.remove(ctx, o.Metadata.Name)
}

func (a *adoptions) print(w io.Writer) {
	fmt.Fprint(w, "\n### from the start of a daemon to its first answer, after a kill\n\n| instances that run | median | least | most |\n|---|---|---|---|\n")
	fmt.Fprintf(w, "| none | %s | %s | %s |\n", millis(a.none.at(0.5)), millis(a.none.at(0)), millis(a.none.at(1)))
	fmt.Fprintf(w, "| %d | %s | %s | %s |\n", a.instances, millis(a.all.at(0.5)), millis(a.all.at(0)), millis(a.all.at(1)))
}
