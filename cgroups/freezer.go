package cgroups

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// freezer stops and resumes a group by the means of its hierarchy: one control
// file takes the wish, one tells the state.
type freezer struct {
	dir                  string
	file, frozen, thawed string
	state, whenFrozen    string
}

// freezer is that of the group's v1 hierarchy, or else of its v2 one.
func (g *Group) freezer() freezer {
	if tree := g.host.Controllers["freezer"]; tree != "" && g.host.Mode != Unified {
		return freezer{
			dir:  filepath.Join(tree, g.path),
			file: "freezer.state", frozen: "FROZEN", thawed: "THAWED",
			state: "freezer.state", whenFrozen: "FROZEN",
		}
	}
	return freezer{
		dir:  filepath.Join(g.host.Unified, g.path),
		file: "cgroup.freeze", frozen: "1", thawed: "0",
		state: "cgroup.events", whenFrozen: "1",
	}
}

// freeze stops the group and waits until all of it stands still, as long as
// ctx lasts. That it does not, or that the host cannot freeze at all, is no
// error: a kill that races with forks is better than none.
func (f freezer) freeze(ctx context.Context) error {
	if err := f.write(f.frozen); err != nil {
		return err
	}
	err := retry(ctx, func() (bool, error) {
		words, err := readWords(f.dir, f.state)
		if err != nil {
			return errors.Is(err, fs.ErrNotExist), err
		}
		if f.state == f.file {
			return slices.Equal(words, []string{f.whenFrozen}), nil
		}
		at := slices.Index(words, "frozen")
		return at >= 0 && at+1 < len(words) && words[at+1] == f.whenFrozen, nil
	})
	if ctx.Err() != nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// thaw lets the group run on, killed processes into their end.
func (f freezer) thaw() error { return f.write(f.thawed) }

func (f freezer) write(wish string) error {
	if err := writeFile(f.dir, f.file, wish); !errors.Is(gone(err), fs.ErrNotExist) {
		return err
	}
	return nil
}
