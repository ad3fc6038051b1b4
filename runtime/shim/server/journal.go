package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"runnel/runtime/shim"
)

// journal keeps the exits that nobody has acknowledged, in a file that
// outlives the shim. It need not survive a power cut: no container does.
//
// Exits are appended, one JSON line each; the file is emptied when the last
// one has been acknowledged, and written anew at opening.
type journal struct {
	// mu guards everything.
	mu    sync.Mutex
	file  *os.File
	exits map[ended]shim.Exit
}

// ended names a container that has ended: its instance, and its place in it.
type ended struct {
	id        string
	container int
}

// openJournal reads what an earlier shim left; a torn last line is dropped.
func openJournal(path string) (*journal, error) {
	j := &journal{exits: map[ended]shim.Exit{}}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read exits: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(old))
	for lines.Scan() {
		var e shim.Exit
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.ID != "" {
			j.exits[ended{e.ID, e.Container}] = e
		}
	}
	return j, j.rewrite(path)
}

// rewrite begins the file anew with what is known, so that neither a torn line
// nor what has been acknowledged stays in it.
func (j *journal) rewrite(path string) error {
	var text []byte
	for _, e := range j.exits {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode exit: %w", err)
		}
		text = append(append(text, line...), '\n')
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return fmt.Errorf("write exits: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("write exits: %w", err)
	}
	var err error
	if j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return fmt.Errorf("open exits: %w", err)
	}
	return nil
}

// add records an exit.
func (j *journal) add(e shim.Exit) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode exit: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.exits[ended{e.ID, e.Container}] = e
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("record exit of %s: %w", e.ID, err)
	}
	return nil
}

// ack forgets the end of the instance id, with all its exits.
func (j *journal) ack(id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := len(j.exits)
	maps.DeleteFunc(j.exits, func(k ended, _ shim.Exit) bool { return k.id == id })
	if len(j.exits) == before || len(j.exits) > 0 {
		return nil
	}
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("empty exits: %w", err)
	}
	return nil
}

// pending lists the exits not acknowledged, oldest first.
func (j *journal) pending() []shim.Exit {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]shim.Exit, 0, len(j.exits))
	for _, e := range j.exits {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b shim.Exit) int { return a.At.Compare(b.At) })
	return out
}

func (j *journal) close() error { return j.file.Close() }
