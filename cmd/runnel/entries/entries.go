package entries

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const (
	// maxEntry is more than an entry takes, in bytes of JSON.
	maxEntry = 4 << 20
	// entriesPage is how many filtered entries are asked for at once.
	entriesPage = 1000
)

// stream shows entries of a resource as the daemon sends them.
func (l *Logging) stream(ctx context.Context, r *verb.Remote, name string) error {
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
	if l.Query != nil {
		maps.Copy(query, l.Query())
	}
	if l.since > 0 {
		query.Set("since", time.Now().Add(-l.since).UTC().Format(time.RFC3339Nano))
	}
	if l.severity != "" {
		query.Set("severity", strings.ToUpper(l.severity))
	}
	resp, err := r.Client.Get(ctx, "/logs/v1/"+name+":stream?"+query.Encode())
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
func (l *Logging) list(ctx context.Context, r *verb.Remote, name string) error {
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
func (l *Logging) page(ctx context.Context, r *verb.Remote, name, token string) (entries []json.RawMessage, next string, err error) {
	request, err := json.Marshal(map[string]any{
		"resourceNames": []string{"projects/" + verb.Part(name, "projects")},
		"filter":        strings.Join(l.terms(name), " AND "),
		"orderBy":       "timestamp desc",
		"pageSize":      entriesPage,
		"pageToken":     token,
	})
	if err != nil {
		return nil, "", err
	}
	resp, err := r.Client.Do(ctx, http.MethodPost, "/v2/entries:list", request)
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

// terms are those of a filter for what the flags ask of a resource.
func (l *Logging) terms(name string) []string {
	terms := append([]string{"(" + l.filter + ")"}, l.About(name)...)
	if l.severity != "" {
		terms = append(terms, "severity >= "+strings.ToUpper(l.severity))
	}
	if l.since > 0 {
		terms = append(terms, fmt.Sprintf("timestamp >= %q", time.Now().Add(-l.since).UTC().Format(time.RFC3339Nano)))
	}
	return terms
}

// entry is what a line of text is made of.
type entry struct {
	Timestamp   time.Time
	TextPayload string
	JSONPayload json.RawMessage `json:"jsonPayload"`
	// HTTPRequest is there if the entry is about one.
	HTTPRequest *request `json:"httpRequest"`
}

// request is one that a service has answered.
type request struct {
	Method  string `json:"requestMethod"`
	URL     string `json:"requestUrl"`
	Status  int    `json:"status"`
	Latency string `json:"latency"`
}

// showEntry writes an entry: a line of text, with --format json a line of JSON,
// or else what --format says.
func (l *Logging) showEntry(data []byte) error {
	l.shown = true
	switch l.shape.Kind {
	case format.Default:
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		return l.Write(e.line())
	case format.JSON:
		return l.Write(append(bytes.TrimSpace(data), '\n'))
	}
	r, err := sheet.Row(json.RawMessage(data), nil)
	if err != nil {
		return err
	}
	out, err := l.shape.List([]format.Row{r})
	if err != nil {
		return err
	}
	return l.Write(out)
}

// line is an entry as text: when, and what was printed or asked.
func (e entry) line() []byte {
	text := e.TextPayload
	if text == "" && len(e.JSONPayload) > 0 {
		var payload struct{ Message string }
		if text = string(e.JSONPayload); json.Unmarshal(e.JSONPayload, &payload) == nil && payload.Message != "" {
			text = payload.Message
		}
	}
	if r := e.HTTPRequest; r != nil {
		text = strings.TrimSpace(fmt.Sprintf("%s %d %s %s %s", r.Method, r.Status, r.URL, r.Latency, text))
	}
	return fmt.Appendf(nil, "%s %s\n", e.Timestamp.UTC().Format(time.DateTime), strings.TrimSuffix(text, "\n"))
}
