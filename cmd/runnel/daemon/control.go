package daemon

import (
	"context"
	"fmt"
	"net"
	"slices"

	"runnel/cmd/runnel/machine"
	"runnel/control"
	"runnel/logs"
	"runnel/scheduler"
	"runnel/scheduler/serving"
)

// openControl goes on with what the records tell, and ends what they do not.
func (d *Daemon) openControl(ctx context.Context) error {
	cfg := d.controlConfig()
	if err := d.openDeciders(&cfg); err != nil {
		return err
	}
	d.control = control.New(cfg)
	d.steps.Push(d.letGo)
	if err := d.control.Start(ctx); err != nil {
		return fmt.Errorf("cannot go on with what was under way: %w", err)
	}
	if err := d.machine.EndSurvivors(ctx); err != nil && ctx.Err() == nil {
		// What will not go must not keep everything else from going on.
		d.log.Error("something of an earlier daemon is left behind", "err", err)
	}
	return nil
}

// controlConfig is what the control plane works with, but for those who decide.
func (d *Daemon) controlConfig() control.Config {
	return control.Config{
		Store: d.store, Images: images{d.machine.Images}, Journal: control.NewJournal(d.store),
		Project: d.cfg.Project, ProjectNumber: d.cfg.ProjectNumber, Region: d.cfg.Region,
		ServiceAccount:    d.cfg.ServiceAccount,
		Domain:            d.cfg.Ingress.Domain,
		MoreDomains:       d.cfg.Ingress.domains()[1:],
		Domains:           d.cfg.Ingress.Domains,
		URL:               d.url,
		Hosts:             d.names(),
		KeepExecutions:    d.cfg.Executions.Keep,
		RunningExecutions: d.cfg.Executions.Running,
		KeepTasks:         d.cfg.Kf.KeepTasks,
		SpaceEnv:          d.cfg.Kf.Env,
		RemoveLogs:        logs.Remove(d.machine.Launcher.LogDir()),
		Logger:            d.log,
	}
}

// names are what the API goes by, beside the names of the loopback interface.
func (d *Daemon) names() []string {
	names := d.cfg.TLS.Hosts
	if host, _, err := net.SplitHostPort(d.cfg.API); err == nil && host != "" {
		names = append(slices.Clone(names), host)
	}
	return names
}

// openDeciders makes the scheduler and the fleet, which share what the host has,
// and gives cfg both.
func (d *Daemon) openDeciders(cfg *control.Config) error {
	capacity, err := machine.Capacity(d.root)
	if err != nil {
		return err
	}
	idleTime, err := d.cfg.Services.idleTime()
	if err != nil {
		return err
	}
	budget := scheduler.NewBudget(d.cfg.Capacity.override(capacity))
	d.scheduler = scheduler.New(scheduler.Config{
		Create:         d.machine.Create,
		Adopt:          d.machine.Adopt,
		Journal:        cfg.Journal,
		Budget:         budget,
		ProjectNumber:  cfg.NumberOf,
		ServiceAccount: d.cfg.ServiceAccount,
		Uptime:         machine.Uptime,
		Logger:         d.log,
	})
	d.fleet = serving.New(serving.Config{
		Create:        d.machine.CreateServing,
		Adopt:         d.machine.AdoptServing,
		Journal:       cfg.Journal,
		Budget:        budget,
		Server:        d.requests,
		ProjectNumber: cfg.NumberOf,
		IdleTime:      idleTime,
		Tell:          d.told.Tell,
		Logger:        d.log,
	})
	cfg.Scheduler, cfg.Fleet = d.scheduler, d.fleet
	return nil
}

// letGo ends all decisions; instances go on.
func (d *Daemon) letGo() error {
	err := d.control.Close()
	d.scheduler.Detach()
	d.fleet.Detach()
	d.scheduler.Wait()
	d.fleet.Wait()
	return err
}
