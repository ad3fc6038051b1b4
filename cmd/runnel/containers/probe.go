package containers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
	"runnel/cmd/runnel/cli"
)

// probeKeys are what the flag of a probe may say.
func probeKeys(flag string) []string {
	timing := []string{"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"}
	handlers := []string{"httpGet.path", "httpGet.port", "grpc.port", "grpc.service"}
	switch flag {
	case "startup-probe":
		handlers = append(handlers, "tcpSocket.port")
	case "readiness-probe":
		timing = timing[1:] // it never ends, so it needs no delay
	}
	return append(timing, handlers...)
}

// checkProbes reads the flags of probes.
func (g *group) checkProbes() error {
	for flag, text := range map[string]string{"startup-probe": g.startup, "liveness-probe": g.liveness, "readiness-probe": g.readiness} {
		if _, err := parseProbe(g.of, flag, text); err != nil {
			return cli.Usagef("%s--%s: %v", g.where(), flag, err)
		}
	}
	return nil
}

// applyProbes sets the probes of c; an empty one removes it.
func (g *group) applyProbes(c *runpb.Container) error {
	for flag, probe := range map[string]struct {
		text  string
		field **runpb.Probe
	}{
		"startup-probe":   {g.startup, &c.StartupProbe},
		"liveness-probe":  {g.liveness, &c.LivenessProbe},
		"readiness-probe": {g.readiness, &c.ReadinessProbe},
	} {
		if !g.set.Changed(flag) {
			continue
		}
		p, err := parseProbe(g.of, flag, probe.text)
		if err != nil {
			return err
		}
		*probe.field = p
	}
	return nil
}

// parseProbe reads the value of a probe's flag, nil for an empty one.
func parseProbe(of Of, flag, text string) (*runpb.Probe, error) {
	if text == "" {
		return nil, nil
	}
	pairs, err := cli.Pairs(flag, []string{text})
	if err != nil {
		return nil, fmt.Errorf("%s: want a list of KEY=VALUE", text)
	}
	p := &runpb.Probe{}
	handler := ""
	for _, pair := range pairs {
		key := strings.TrimSpace(pair.Name)
		if keys := probeKeys(flag); !slices.Contains(keys, key) {
			return nil, unknownKey(key, keys)
		}
		kind, field, isHandler := strings.Cut(key, ".")
		if isHandler && handler != "" && handler != kind {
			return nil, fmt.Errorf("%s: cannot stand beside %s: a probe is one of httpGet, grpc or tcpSocket", kind, handler)
		}
		if isHandler {
			handler = kind
		}
		if err := setProbe(p, kind, field, pair.Value); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key, pair.Value, err)
		}
	}
	switch {
	case handler != "":
	case flag == "startup-probe" && of.TakesRequests: // the port is known
		p.ProbeType = &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{}}
	case flag == "startup-probe":
		return nil, errors.New("say what to ask: httpGet.port, grpc.port or tcpSocket.port")
	default:
		return nil, errors.New("say what to ask: httpGet.path, httpGet.port or grpc.port")
	}
	return p, nil
}

// unknownKey names the key that was probably meant.
func unknownKey(key string, keys []string) error {
	meant := api.Nearest(key, keys)
	if i := slices.IndexFunc(keys, func(k string) bool { return strings.HasSuffix(k, "."+key) || strings.HasPrefix(k, key+"-") }); i >= 0 {
		meant = keys[i]
	}
	if meant != "" {
		return fmt.Errorf("unknown key %q; did you mean %s?", key, meant)
	}
	return fmt.Errorf("unknown key %q: want %s", key, strings.Join(keys, ", "))
}

// setProbe sets what one key says: a number of its own, or the field of one of
// the handlers.
func setProbe(p *runpb.Probe, key, field, value string) error {
	switch field {
	case "path":
		httpGet(p).Path = value
		return nil
	case "service":
		grpc(p).Service = value
		return nil
	}
	n, err := whole(value)
	if err != nil {
		return err
	}
	switch key {
	case "initialDelaySeconds":
		p.InitialDelaySeconds = n
	case "timeoutSeconds":
		p.TimeoutSeconds = n
	case "periodSeconds":
		p.PeriodSeconds = n
	case "failureThreshold":
		p.FailureThreshold = n
	case "httpGet":
		httpGet(p).Port = n
	case "grpc":
		grpc(p).Port = n
	case "tcpSocket":
		p.ProbeType = &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: n}}
	}
	return nil
}

// httpGet makes p ask over HTTP.
func httpGet(p *runpb.Probe) *runpb.HTTPGetAction {
	if p.GetHttpGet() == nil {
		p.ProbeType = &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}
	}
	return p.GetHttpGet()
}

// grpc makes p ask over gRPC.
func grpc(p *runpb.Probe) *runpb.GRPCAction {
	if p.GetGrpc() == nil {
		p.ProbeType = &runpb.Probe_Grpc{Grpc: &runpb.GRPCAction{}}
	}
	return p.GetGrpc()
}
