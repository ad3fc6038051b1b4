package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"
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
	w := idle("many", ref, "0."+fmt.Sprintf("%03d", leastCPU), a.instances, a.instances)
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
	fmt.Fprint(w, "\n### from the start of a daemon to its first answer, after a kill\n\n| instances that run | median | each |\n|---|---|---|\n")
	none, all := a.none.at(0.5), a.all.at(0.5)
	fmt.Fprintf(w, "| none | %s | |\n| %s | %s | %s |\n", millis(none), strconv.Itoa(a.instances), millis(all),
		fine((all-none)/time.Duration(a.instances)))
}
