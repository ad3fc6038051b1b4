package verb

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
)

// Listing is what verbs that list have in common.
type Listing struct {
	*Frame
	// PageSize is how many resources to ask for at once; 0 leaves it to the daemon.
	PageSize int32

	filter, sortBy string
	limit          int
	uri            bool

	matches format.Filter // from filter, by check
}

// Register adds the flags of lists to cmd.
func (l *Listing) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&l.filter, "filter", "", "list only what an `EXPRESSION` is true of, such as 'name:etl AND metadata.labels.team=data'")
	flags.StringVar(&l.sortBy, "sort-by", "", "order by `KEY,...`; ~KEY for the other way round")
	flags.IntVar(&l.limit, "limit", 0, "most resources to list (default all)")
	flags.Int32Var(&l.PageSize, "page-size", 0, "most resources to ask the daemon for at once")
	flags.BoolVar(&l.uri, "uri", false, "list full names and nothing else")
	for _, name := range []string{"filter", "sort-by", "limit", "page-size"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions) // fails only for flags that do not exist
	}
}

// Check reads the flags.
func (l *Listing) Check() (err error) {
	switch {
	case l.limit < 0:
		return cli.Usagef("--limit %d: want 1 or more", l.limit)
	case l.PageSize < 0:
		return cli.Usagef("--page-size %d: want 1 or more", l.PageSize)
	}
	if l.matches, err = format.ParseFilter(l.filter); err != nil {
		return cli.Usagef("--filter: %v", err)
	}
	if err := format.Sort(nil, l.sortBy); err != nil {
		return cli.Usagef("%v", err)
	}
	return nil
}

// Every reads all pages of a list.
func Every[M any](ctx context.Context, page func(ctx context.Context, token string) (items []M, next string, err error)) (all []M, err error) {
	for token := ""; ; {
		items, next, err := page(ctx, token)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" || next == token {
			return all, nil
		}
		token = next
	}
}

// EveryPlace reads all pages of the lists of the locations that are meant, whose
// parents they are.
func EveryPlace[M any](ctx context.Context, r *Remote, page func(ctx context.Context, parent, token string) (items []M, next string, err error)) (all []M, err error) {
	places, err := r.Places(ctx)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		items, err := Every(ctx, func(ctx context.Context, token string) ([]M, string, error) { return page(ctx, place, token) })
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}

// named is a resource.
type named interface{ GetName() string }

// List writes resources: filtered, ordered and cut off as the flags say, in the
// form of --format or else as a table with labels.
func List[M named](l *Listing, items []M, row func(M, bool) (format.Row, error), labels []string, cells func(M) []string) error {
	f, err := l.Form()
	if err != nil {
		return err
	}
	chosen, err := choose(l, items, func(item M) (format.Row, error) { return row(item, f.Kind == format.Export) })
	if err != nil {
		return err
	}
	switch {
	case len(chosen) == 0 && f.Kind != format.JSON:
		l.Say("Listed 0 items.")
		return nil
	case f.Kind != format.Default && !l.uri:
		out, err := f.List(chosen)
		if err != nil {
			return err
		}
		return l.Write(out)
	}
	var table [][]string
	var names bytes.Buffer
	for _, r := range chosen {
		item := items[r.Attributes[position].(int)]
		fmt.Fprintln(&names, item.GetName())
		table = append(table, cells(item))
	}
	if l.uri {
		return l.Write(names.Bytes())
	}
	return l.Write(format.Columns(labels, table))
}

// position is the attribute that leads from a row back to its resource.
const position = "\x00position"

// choose makes rows of items: of those that the flags ask for, in the order
// they ask for.
func choose[M any](l *Listing, items []M, row func(M) (format.Row, error)) (rows []format.Row, err error) {
	for i, item := range items {
		r, err := row(item)
		if err != nil {
			return nil, err
		}
		if l.matches(r) {
			r.Attributes[position] = i
			rows = append(rows, r)
		}
	}
	if err := format.Sort(rows, l.sortBy); err != nil {
		return nil, err
	}
	if l.limit > 0 && len(rows) > l.limit {
		rows = rows[:l.limit]
	}
	return rows, nil
}
