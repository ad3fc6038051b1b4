package jobs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"runnel/cmd/runnel/format"
)

const (
	// maxEntry is more than an entry takes, in bytes of JSON.
	maxEntry = 4 << 20
	// entriesPage is how many filtered entries are asked for at once.
	entriesPage = 1000
)

// stream shows entries of a job or an execution as the daemon sends them.
func (l *logging) stream(ctx context.Context, r *remote, name string) error {
	query := url.Values{}
	if l.follow {
		query.Set("follow", "true")
	}
	if l.system {
		query.Set("system", "true")
	}
	if l.limit > 0 {
		query.Set("limit", strconv.Itoa(l.limit))
	}
	if l.task >= 0 {
		query.Set("task", strconv.Itoa(l.task))
	}
	if l.since > 0 {
		query.Set("since", time.Now().Add(-l.since).UTC().Format(time.RFC3339Nano))
	}
	if l.severity != "" {
		query.Set("severity", strings.ToUpper(l.severity))
	}
	resp, err := r.client.Get(ctx, "/logs/v1/"+name+":stream?"+query.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEntry)
	for lines.Scan() {
		if err := l.showEntry(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the log breaks off: %w", err)
	}
	return nil
}

// list shows the entries that a filter lets through.
func (l *logging) list(ctx context.Context, r *remote, name string) error {
	var all []json.RawMessage
	for token := ""; ; {
		entries, next, err := l.page(ctx, r, name, token)
		if err != nil {
			return err
		}
		all = append(all, entries...)
		if next == "" || l.limit > 0 && len(all) >= l.limit {
			break
		}
		token = next
	}
	if l.limit > 0 && len(all) > l.limit {
		all = all[:l.limit]
	}
	slices.Reverse(all) // they came with the latest first
	for _, entry := range all {
		if err := l.showEntry(entry); err != nil {
			return err
		}
	}
	return nil
}

// page asks for one page of filtered entries.
func (l *logging) page(ctx context.Context, r *remote, name, token string) (entries []json.RawMessage, next string, err error) {
	request, err := json.Marshal(map[string]any{
		"resourceNames": []string{"projects/" + part(name, "projects")},
		"filter":        l.expression(name),
		"orderBy":       "timestamp desc",
		"pageSize":      entriesPage,
		"pageToken":     token,
	})
	if err != nil {
		return nil, "", err
	}
	resp, err := r.client.Do(ctx, http.MethodPost, "/v2/entries:list", request)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	var page struct {
		Entries       []json.RawMessage `json:"entries"`
		NextPageToken string            `json:"nextPageToken"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("the log breaks off: %w", err)
	}
	return page.Entries, page.NextPageToken, nil
}

// expression is the filter for what the flags ask of a job or an execution.
func (l *logging) expression(name string) string {
	terms := []string{
		"(" + l.filter + ")",
		`resource.type = "cloud_run_job"`,
		fmt.Sprintf("resource.labels.job_name = %q", part(name, "jobs")),
		fmt.Sprintf("resource.labels.location = %q", part(name, "locations")),
	}
	if execution := part(name, "executions"); execution != "" {
		terms = append(terms, fmt.Sprintf(`labels."run.googleapis.com/execution_name" = %q`, execution))
	}
	if l.task >= 0 {
		terms = append(terms, fmt.Sprintf(`labels."run.googleapis.com/task_index" = "%d"`, l.task))
	}
	if l.severity != "" {
		terms = append(terms, "severity >= "+strings.ToUpper(l.severity))
	}
	if l.since > 0 {
		terms = append(terms, fmt.Sprintf("timestamp >= %q", time.Now().Add(-l.since).UTC().Format(time.RFC3339Nano)))
	}
	return strings.Join(terms, " AND ")
}

// entry is what a line of text is made of.
type entry struct {
	Timestamp   time.Time
	TextPayload string
	JSONPayload json.RawMessage `json:"jsonPayload"`
}

// showEntry writes an entry: a line of text, with --format json a line of JSON,
// or else what --format says.
func (l *logging) showEntry(data []byte) error {
	l.shown = true
	switch l.shape.Kind {
	case format.Default:
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		return l.write(e.line())
	case format.JSON:
		return l.write(append(bytes.TrimSpace(data), '\n'))
	}
	r, err := row(json.RawMessage(data), nil)
	if err != nil {
		return err
	}
	out, err := l.shape.List([]format.Row{r})
	if err != nil {
		return err
	}
	return l.write(out)
}

// line is an entry as text: when, and what was printed.
func (e entry) line() []byte {
	text := e.TextPayload
	if text == "" && len(e.JSONPayload) > 0 {
		var payload struct{ Message string }
		if text = string(e.JSONPayload); json.Unmarshal(e.JSONPayload, &payload) == nil && payload.Message != "" {
			text = payload.Message
		}
	}
	return fmt.Appendf(nil, "%s %s\n", e.Timestamp.UTC().Format(time.DateTime), strings.TrimSuffix(text, "\n"))
}
