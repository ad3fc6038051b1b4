package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"runnel/internal/bench/records"
)

// stored measures what many executions that have ended cost: how long the
// daemon takes to start, what memory it has, and how long it is until they have
// all been listed.
type stored struct {
	rounds []storedRound
	// executions and bytes are how many there were, and the database's size.
	executions int
	bytes      int64
}

// storedRound is one round: with an almost empty root, and with a full one.
type storedRound struct {
	fresh, full, read, listing time.Duration
	before, after, listed      resident
}

func (s *stored) round(ctx context.Context, c config, d *daemon, ref string) (err error) {
	s.executions = c.stored
	if err := d.create(ctx, workload{name: "one", image: ref, cpu: c.cpu, memory: "512Mi", tasks: 1, parallelism: 1, command: []string{"/bin/true"}}); err != nil {
		return err
	}
	o, err := d.run(ctx, "one")
	if err != nil {
		return err
	}
	if err := d.wait(ctx, o); err != nil {
		return err
	}
	var r storedRound
	if r.fresh, r.before, err = d.restart(ctx); err != nil {
		return err
	}
	d.stop()
	database := filepath.Join(d.root, "state.db")
	if err := records.Multiply(database, c.stored, storedTasks); err != nil {
		return err
	}
	if r.read, s.bytes, err = readThrough(database); err != nil {
		return err
	}
	if r.full, err = d.start(ctx); err != nil {
		return err
	}
	if r.after, err = d.resident(); err != nil {
		return err
	}
	begun := time.Now()
	if err := d.listAll(ctx, c.stored*storedTasks); err != nil {
		return err
	}
	r.listing = time.Since(begun)
	r.listed, err = d.resident()
	s.rounds = append(s.rounds, r)
	return err
}

// restart kills the daemon and starts it again.
func (d *daemon) restart(ctx context.Context) (took time.Duration, r resident, err error) {
	d.kill()
	if took, err = d.start(ctx); err != nil {
		return 0, r, err
	}
	r, err = d.resident()
	return took, r, err
}

// readThrough is how long it takes to read a file that the kernel has at hand.
func readThrough(path string) (took time.Duration, size int64, err error) {
	begun := time.Now()
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	size, err = io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f})
	return time.Since(begun), size, err
}

// listAll lists every execution and every task, of which there must be at least
// n, page by page.
func (d *daemon) listAll(ctx context.Context, n int) error {
	if _, err := d.count(ctx, parent+"/jobs/-/executions"); err != nil {
		return err
	}
	got, err := d.count(ctx, parent+"/jobs/-/executions/-/tasks")
	if err == nil && got < n {
		err = fmt.Errorf("%d tasks are listed, not %d", got, n)
	}
	return err
}

// count is how many executions or tasks are in a list.
func (d *daemon) count(ctx context.Context, path string) (n int, err error) {
	for token := ""; ; {
		var page struct {
			Executions, Tasks []struct{}
			NextPageToken     string
		}
		query := url.Values{"pageSize": {"1000"}, "pageToken": {token}}
		if err := d.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return n, err
		}
		n += len(page.Executions) + len(page.Tasks)
		if token = page.NextPageToken; token == "" {
			return n, nil
		}
	}
}

func (s *stored) print(w io.Writer) {
	fmt.Fprintf(w, "\n### %d executions of %d tasks stored (%.1f MB)\n\n| round | start, empty | start, full | reading the file | memory, empty | memory, full | all listed after | memory then |\n|---|---|---|---|---|---|---|---|\n",
		s.executions, storedTasks, float64(s.bytes)/1e6)
	for i, r := range s.rounds {
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s | %s | %s |\n", i+1, millis(r.fresh), millis(r.full), millis(r.read), r.before, r.after, millis(r.listing), r.listed)
	}
}
