package contract

import "testing"

// contract: ENV-1
func TestENV1PortIsInTheIngressContainer(t *testing.T) {
	d := daemon(t)
	d.Deploy(nameOf(t)).Exits(0)
	var env map[string]string
	d.Get(nameOf(t), "/env").Is(d.Host, 200).Decode(d.Host, &env)
	if env["PORT"] != "8080" {
		t.Errorf("PORT is %q", env["PORT"])
	}
}
