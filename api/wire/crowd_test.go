package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api/wire"
	"runnel/control/controltest"
)

// A thousand clients at once get what they ask for, and a job runs meanwhile.
func TestThousandClients(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	s := start(t, wire.Config{Control: w.Control, Token: token})
	ctx, cancel := context.WithTimeout(t.Context(), 3*limit)
	defer cancel()
	c := restClients(t, s, nil)
	create(ctx, t, c, "busy")
	const n = 1000
	begun, results := make(chan struct{}), make(chan error, n)
	client := &http.Client{Transport: withToken{newClient(t, false, nil).Transport}, Timeout: 2 * limit}
	for i := range n {
		go func() {
			<-begun
			results <- askOne(ctx, client, s.addr, i)
		}()
	}
	close(begun)
	begin := time.Now()
	op, err := c.jobs.RunJob(ctx, &runpb.RunJobRequest{Name: controltest.Parent + "/jobs/busy"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Wait(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("the execution took %v among %d clients", time.Since(begin), n)
	for range n {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// askOne is what one of many clients asks: every tenth makes a job.
func askOne(ctx context.Context, client *http.Client, addr string, i int) error {
	method, target, body := http.MethodGet, "/v2/"+controltest.Parent+"/jobs?pageSize=10", ""
	if i%10 == 0 {
		method, target = http.MethodPost, fmt.Sprintf("/v2/%s/jobs?jobId=job-%d", controltest.Parent, i)
		body = `{"template":{"template":{"containers":[{"image":"example.com/app:1"}]}}}`
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+target, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, target, resp.Status)
	}
	return nil
}
