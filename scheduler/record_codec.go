package scheduler

import (
	"fmt"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"runnel/contract"
)

// encoder writes fields one after the other. What is zero is left out.
type encoder []byte

func (b *encoder) number(field protowire.Number, v uint64) {
	if v != 0 {
		*b = protowire.AppendVarint(protowire.AppendTag(*b, field, protowire.VarintType), v)
	}
}

func (b *encoder) text(field protowire.Number, s string) {
	if s != "" {
		*b = protowire.AppendString(protowire.AppendTag(*b, field, protowire.BytesType), s)
	}
}

// time writes nanoseconds since 1970.
func (b *encoder) time(field protowire.Number, t time.Time) {
	if !t.IsZero() {
		*b = protowire.AppendFixed64(protowire.AppendTag(*b, field, protowire.Fixed64Type), uint64(t.UnixNano()))
	}
}

// UnmarshalBinary reads what MarshalBinary has written, in this version or in
// another one that can be read: what it does not know it skips. Errors:
// ErrRecord.
func (r *TaskRecord) UnmarshalBinary(b []byte) error {
	*r = TaskRecord{}
	var version uint64
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrRecord, protowire.ParseError(n))
		}
		b = b[n:]
		v, s, n := consume(field, kind, b)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrRecord, protowire.ParseError(n))
		}
		b = b[n:]
		if field == fieldVersion {
			version = v
		}
		r.set(field, v, s)
	}
	if version != recordVersion {
		return fmt.Errorf("%w: version %d, want %d", ErrRecord, version, recordVersion)
	}
	return nil
}

// consume reads one field's value, a number or a text, and tells how long it
// is: less than 0 where it cannot be read.
func consume(field protowire.Number, kind protowire.Type, b []byte) (v uint64, s string, n int) {
	switch kind {
	case protowire.VarintType:
		v, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		v, n = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		s, n = protowire.ConsumeString(b)
	default:
		n = protowire.ConsumeFieldValue(field, kind, b)
	}
	return v, s, n
}

// set gives one field its value.
func (r *TaskRecord) set(field protowire.Number, v uint64, s string) {
	switch field {
	case fieldIndex:
		r.Index = int(v)
	case fieldState:
		r.State = TaskState(s)
	case fieldAttempts:
		r.Attempts = int(v)
	case fieldScheduled:
		r.Scheduled = instant(v)
	case fieldStarted:
		r.Started = instant(v)
	case fieldAttempted:
		r.Attempted = instant(v)
	case fieldAttemptedUp:
		r.AttemptedUp = time.Duration(v)
	case fieldCompleted:
		r.Completed = instant(v)
	case fieldUpdated:
		r.Updated = instant(v)
	case fieldStopping:
		setExitFlags(&r.Stopping, v)
	case fieldExit:
		setExitFlags(&r.Exit.Exit, v)
	case fieldExitCode:
		r.Exit.Code = int(v)
	case fieldExitSignal:
		r.Exit.Signal = syscall.Signal(v)
	case fieldExitAt:
		r.Exit.At = instant(v)
	case fieldMemoryPeak:
		r.Exit.MemoryPeak = contract.Bytes(v)
	case fieldError:
		r.Error = s
	case fieldFlags:
		r.Hopeless, r.FirstFailure = v&1 != 0, v&2 != 0
	}
}

func instant(v uint64) time.Time { return time.Unix(0, int64(v)) }

func exitFlags(e contract.Exit) uint64 {
	return bit(e.OOMKilled, 0) | bit(e.TimedOut, 1) | bit(e.Cancelled, 2) | bit(e.Lost, 3)
}

func setExitFlags(e *contract.Exit, v uint64) {
	e.OOMKilled, e.TimedOut, e.Cancelled, e.Lost = v&1 != 0, v&2 != 0, v&4 != 0, v&8 != 0
}

// bit is the nth one if set.
func bit(set bool, n uint) uint64 {
	if set {
		return 1 << n
	}
	return 0
}
