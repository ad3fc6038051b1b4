// Package client connects to a daemon: to its gRPC services and to what it
// serves over plain HTTP, on a unix socket or over TCP. It says in words that
// help what went wrong on the way. It needs whatever the socket asks for: root
// or the group runnel for the default one, a token for TCP.
package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	locationpb "google.golang.org/genproto/googleapis/cloud/location"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// DefaultHost is where a daemon of this machine listens.
const DefaultHost = "unix:///run/runnel/runnel.sock"

const (
	// reconnectAfter is how soon a daemon that is away is tried again: it may
	// just be starting.
	reconnectAfter = 200 * time.Millisecond
	// connectTimeout is how long one attempt may take.
	connectTimeout = 5 * time.Second
	// continueTimeout is how long a body waits until the daemon wants it, or
	// else is sent unasked.
	continueTimeout = time.Hour
)

// Config says where a daemon is and how to be let in.
type Config struct {
	// Host is a URL: unix:///PATH, http://HOST:PORT or https://HOST:PORT. Empty
	// means DefaultHost; a path alone is a unix socket.
	Host string
	// TokenFile holds the bearer token; empty for none.
	TokenFile string
	// CAFile holds certificates (PEM) to trust for https besides the system's.
	CAFile string
}

// Client is a connection to a daemon. Its services are safe for concurrent use;
// their errors become readable with Explain. The caller must Close it.
type Client struct {
	Jobs        runpb.JobsClient
	Executions  runpb.ExecutionsClient
	Tasks       runpb.TasksClient
	Services    runpb.ServicesClient
	Revisions   runpb.RevisionsClient
	WorkerPools runpb.WorkerPoolsClient
	// Schedules are those of Cloud Scheduler's API.
	Schedules  schedulerpb.CloudSchedulerClient
	Operations longrunningpb.OperationsClient
	Locations  locationpb.LocationsClient

	target target
	conn   *grpc.ClientConn
	web    *http.Client

	// mu guards dialed.
	mu     sync.Mutex
	dialed error // why the last attempt to connect came to nothing
}

// Open prepares a connection; it reads the files of cfg, and connects with the
// first call.
func Open(cfg Config) (*Client, error) {
	t, err := parseTarget(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{target: t}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return c.dial(ctx) }),
		grpc.WithNoProxy(),
		// A page of jobs with much in their environments is large; so it is for
		// Google's client libraries.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: reconnectAfter, Multiplier: 1, MaxDelay: reconnectAfter},
			MinConnectTimeout: connectTimeout,
		}),
	}
	if t.tls != nil {
		options[0] = grpc.WithTransportCredentials(reporting{credentials.NewTLS(t.tls), c})
	}
	if t.token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(t.token)))
	}
	if c.conn, err = grpc.NewClient("passthrough:///"+t.authority, options...); err != nil {
		return nil, fmt.Errorf("%s: %w", t.host, err)
	}
	c.Jobs = runpb.NewJobsClient(c.conn)
	c.Executions = runpb.NewExecutionsClient(c.conn)
	c.Tasks = runpb.NewTasksClient(c.conn)
	c.Services = runpb.NewServicesClient(c.conn)
	c.Revisions = runpb.NewRevisionsClient(c.conn)
	c.WorkerPools = runpb.NewWorkerPoolsClient(c.conn)
	c.Schedules = schedulerpb.NewCloudSchedulerClient(c.conn)
	c.Operations = longrunningpb.NewOperationsClient(c.conn)
	c.Locations = locationpb.NewLocationsClient(c.conn)
	c.web = &http.Client{Transport: &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
		TLSClientConfig: t.tls.Clone(),
		// Of requests that expect to be told to continue: the daemon fetches what
		// an upload is laid on before it takes that.
		ExpectContinueTimeout: continueTimeout,
	}}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error {
	c.web.CloseIdleConnections()
	return c.conn.Close()
}

// Host is the name of the daemon's machine; empty for this one.
func (c *Client) Host() string {
	host, _, err := net.SplitHostPort(c.target.address)
	if c.target.network == "unix" || err != nil {
		return ""
	}
	return host
}

// Get is Do for what is only read.
func (c *Client) Get(ctx context.Context, path string) (*http.Response, error) {
	return c.Do(ctx, http.MethodGet, path, nil)
}

// maxAnswer is more than what Read is for, in bytes.
const maxAnswer = 1 << 20

// Read is the body of a small answer of the daemon's HTTP side.
func (c *Client) Read(ctx context.Context, path string) ([]byte, error) {
	resp, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}

// Do calls the daemon's HTTP side: a method and a path such as "/v2/...?...",
// and a body of JSON where there is one. The caller must close the answer's
// body, which may go on for as long as ctx allows. Any answer but 200 is an
// error.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := c.request(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req)
}

// Stream is Do with POST for a body of any length, which is not read before the
// daemon wants it; one that refuses early reads none of it.
func (c *Client) Stream(ctx context.Context, path string, body io.Reader) (*http.Response, error) {
	req, err := c.request(ctx, http.MethodPost, path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Expect", "100-continue")
	return c.send(req)
}

// request is a request to the daemon's HTTP side.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	scheme := "http"
	if c.target.tls != nil {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, method, scheme+"://"+c.target.authority+path, body)
	if err != nil {
		return nil, err
	}
	if c.target.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.target.token)
	}
	return req, nil
}

// send has a request answered, with 200.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.web.Do(req)
	if err != nil {
		return nil, c.explainHTTP(req.Context(), err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, c.answered(resp)
	}
	return resp, nil
}

// dial connects, and remembers why it could not.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, c.target.network, c.target.address)
	c.note(err)
	return conn, err
}

// note remembers how the last attempt to connect went.
func (c *Client) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed = err
}

// refused is why the last attempt to connect came to nothing, if it did.
func (c *Client) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialed
}

// bearer sends a token with each call.
type bearer string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: loopback
// needs none, and who sends a token further without TLS has been told not to.
func (bearer) RequireTransportSecurity() bool { return false }

// reporting is TLS that tells the client how the handshake went.
type reporting struct {
	credentials.TransportCredentials
	client *Client
}

// ClientHandshake implements credentials.TransportCredentials.
func (r reporting) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := r.TransportCredentials.ClientHandshake(ctx, authority, raw)
	r.client.note(err)
	return conn, info, err
}

// Clone implements credentials.TransportCredentials.
func (r reporting) Clone() credentials.TransportCredentials {
	return reporting{r.TransportCredentials.Clone(), r.client}
}
