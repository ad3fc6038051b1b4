package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
)

// submits measures how long it takes until a great execution is durable, beside
// the write of as many bytes to the same disk. The host is full meanwhile, so
// that none of them begins.
type submits struct {
	bytes  int
	rounds []submitRound
}

// submitRound is one round: the calls, and files written and synced, in place
// and at their end.
type submitRound struct{ rest, wire, nothing, inPlace, appended spread }

// submitted is how many executions are submitted in a round, each way.
const submitted = 100

func (s *submits) round(ctx context.Context, c config, d *daemon, ref string) error {
	if err := d.fill(ctx, ref); err != nil {
		return err
	}
	if err := d.create(ctx, idle("great", ref, "1", greatTasks, 1)); err != nil {
		return err
	}
	if err := s.size(ctx, d); err != nil {
		return err
	}
	disk, err := newScratch(d.root+"-disk", s.bytes)
	if err != nil {
		return err
	}
	defer disk.close()
	var r submitRound
	for range submitted {
		for _, step := range []struct {
			into *spread
			do   func(context.Context) error
		}{
			{&r.rest, func(ctx context.Context) error { _, err := d.run(ctx, "great"); return err }},
			{&r.inPlace, disk.overwrite},
			{&r.wire, func(ctx context.Context) error { _, err := d.runWire(ctx, "great"); return err }},
			{&r.appended, disk.append},
			{&r.nothing, func(context.Context) error { d.answers(); return nil }},
		} {
			if err := step.into.time(ctx, step.do); err != nil {
				return err
			}
		}
	}
	s.rounds = append(s.rounds, r)
	return nil
}

// size learns how many bytes make an execution durable: about what the answer
// has.
func (s *submits) size(ctx context.Context, d *daemon) error {
	o, err := d.runWire(ctx, "great")
	s.bytes = proto.Size(o)
	return err
}

// fill has tasks of one CPU each run until there is room for no other.
func (d *daemon) fill(ctx context.Context, ref string) error {
	n := runtime.NumCPU()
	if err := d.create(ctx, idle("full", ref, "1", n, n)); err != nil {
		return err
	}
	o, err := d.run(ctx, "full")
	if err != nil {
		return err
	}
	return d.running(ctx, o.Metadata.Name, n)
}

// runWire is run over gRPC.
func (d *daemon) runWire(ctx context.Context, job string) (*longrunningpb.Operation, error) {
	return runpb.NewJobsClient(d.wire).RunJob(ctx, &runpb.RunJobRequest{Name: parent + "/jobs/" + job})
}

func (s *submits) print(w io.Writer) {
	fmt.Fprintf(w, "\n### durable submit of an execution of %d tasks (%d bytes)\n\n| | p50 | p99 | p50 beside the write |\n|---|---|---|---|\n", greatTasks, s.bytes)
	floor := s.median(func(r submitRound) spread { return r.inPlace })
	for _, row := range []struct {
		title string
		of    func(submitRound) spread
	}{
		{"`:run` over REST", func(r submitRound) spread { return r.rest }},
		{"`:run` over gRPC", func(r submitRound) spread { return r.wire }},
		{"a call that does nothing (`/healthz`)", func(r submitRound) spread { return r.nothing }},
		{"write and fsync, in place", func(r submitRound) spread { return r.inPlace }},
		{"write and fsync, at the end of a file", func(r submitRound) spread { return r.appended }},
	} {
		m := s.median(row.of)
		fmt.Fprintf(w, "| %s | %s | %s | %.2f × |\n", row.title, fine(m[0]), fine(m[1]), float64(m[0])/float64(floor[0]))
	}
}

func (s *submits) median(of func(submitRound) spread) quantiles {
	var all []spread
	for _, r := range s.rounds {
		all = append(all, of(r))
	}
	return medians(all)
}

// scratch is a pair of files to write to: the least that durability costs.
type scratch struct {
	block       []byte
	fixed, grow *os.File
}

func newScratch(path string, size int) (*scratch, error) {
	fixed, err := os.Create(path + ".fixed")
	if err != nil {
		return nil, err
	}
	grow, err := os.Create(path + ".grow")
	if err != nil {
		return nil, errors.Join(err, fixed.Close())
	}
	s := &scratch{block: make([]byte, size), fixed: fixed, grow: grow}
	for i := range s.block {
		s.block[i] = strconv.Itoa(i)[0]
	}
	return s, s.overwrite(context.Background())
}

// overwrite writes and syncs what was there before.
func (s *scratch) overwrite(context.Context) error {
	if _, err := s.fixed.WriteAt(s.block, 0); err != nil {
		return err
	}
	return s.fixed.Sync()
}

// append makes a file longer and syncs it.
func (s *scratch) append(context.Context) error {
	if _, err := s.grow.Write(s.block); err != nil {
		return err
	}
	return s.grow.Sync()
}

func (s *scratch) close() {
	_ = errors.Join(s.fixed.Close(), s.grow.Close()) // all was synced
}
