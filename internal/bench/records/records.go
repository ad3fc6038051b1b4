// Package records puts executions that have ended into a daemon's database as
// if the daemon had run them, for measurements that need more of them than
// there is time for. The daemon must not be running.
package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/scheduler"
	"runnel/store"
)

// Kinds of what is stored of an execution.
const (
	kindExecutions store.Kind = "executions"
	kindNotes      store.Kind = "notes"
)

// Multiply adds executions of so many tasks each to the database at path: all
// like the newest one in it, whose first task must have ended well.
func Multiply(path string, executions, tasks int) (err error) {
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return multiply(s, executions, tasks)
}

func multiply(s *store.Store, executions, tasks int) error {
	var p pattern
	if err := s.View(p.read); err != nil {
		return err
	}
	for i := range executions {
		err := s.Update(context.Background(), func(tx *store.Tx) error { return p.repeat(tx, i, tasks) })
		if err != nil {
			return err
		}
	}
	return nil
}

// pattern is the execution that is repeated, and what belongs to it.
type pattern struct {
	execution *runpb.Execution
	note      []byte
	task      scheduler.TaskRecord
}

// read finds the newest execution.
func (p *pattern) read(tx *store.Tx) error {
	for e := range tx.Newest(kindExecutions, "") {
		p.execution = &runpb.Execution{}
		if err := proto.Unmarshal(e.Value(), p.execution); err != nil {
			return fmt.Errorf("execution %s: %w", e.Name, err)
		}
		p.note = slices.Clone(tx.Get(kindNotes, e.Name))
		for _, value := range tx.Rows(p.execution.GetUid()) {
			if err := p.task.UnmarshalBinary(value); err != nil {
				return err
			}
			break
		}
		if p.task.State != scheduler.Succeeded || p.note == nil {
			return fmt.Errorf("execution %s has not ended well", e.Name)
		}
		return nil
	}
	return errors.New("there is no execution to repeat")
}

// repeat writes the i-th repetition.
func (p *pattern) repeat(tx *store.Tx, i, tasks int) error {
	x := proto.CloneOf(p.execution)
	x.Name = fmt.Sprintf("%s-%04d", x.GetName(), i)
	x.Uid = fmt.Sprintf("%s%04x", x.GetUid()[:len(x.GetUid())-4], i)
	created := x.GetCreateTime().AsTime().Add(time.Duration(i-1000) * time.Millisecond)
	x.CreateTime = timestamppb.New(created)
	x.TaskCount, x.SucceededCount = int32(tasks), int32(tasks)
	value, err := proto.Marshal(x)
	if err != nil {
		return err
	}
	tx.Put(kindExecutions, x.GetName(), created, value)
	tx.Put(kindNotes, x.GetName(), created, p.note)
	for index := range tasks {
		r := p.task
		r.Index = index
		row, err := r.MarshalBinary()
		if err != nil {
			return err
		}
		tx.PutRow(x.GetUid(), uint32(index), row)
	}
	return nil
}
