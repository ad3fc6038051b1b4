package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// ask is a script that asks the metadata server for path.
const ask = `ask() { wget -q -O - --header 'Metadata-Flavor: Google' "http://$1/computeMetadata/v1/$2"; echo; }
`

// contract: MD-1 MD-4 MD-5 MD-6 MD-8
func TestMetadata(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(ask+`for at in metadata.google.internal 169.254.169.254 metadata.google.internal:80; do
			ask $at project/project-id
			ask $at project/numeric-project-id
			ask $at instance/region
			ask $at instance/zone
			ask $at instance/service-accounts/default/email
		done`, "--project", "my-project", "--project-number", "424242", "--region", "far-east9",
		"--service-account", "robot@my-project.iam.gserviceaccount.com")...)
	o.Exits(0)
	one := "my-project\n424242\nprojects/424242/regions/far-east9\nprojects/424242/zones/far-east9-1\nrobot@my-project.iam.gserviceaccount.com\n"
	if got := o.text(0, "stdout") + "\n"; got != one+one+one {
		t.Errorf("the metadata server says\n%s\nwant three times\n%s", got, one)
	}
}

// contract: MD-7 MD-9
func TestMetadataOfAnInstance(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	o := runJSON(h, h.Script(ask+`ask metadata.google.internal instance/id
		ask metadata.google.internal instance/service-accounts/default/token
		exit $((CLOUD_RUN_TASK_ATTEMPT == 0))`, "--tasks", "2")...)
	o.Exits(0)
	ids := map[string]bool{}
	for i := range 2 {
		texts := o.texts(i, "stdout")
		if len(texts) != 4 {
			t.Fatalf("task %d prints %q", i, texts)
		}
		ids[texts[0]], ids[texts[2]] = true, true
		var token struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
			TokenType   string `json:"token_type"`
		}
		if err := json.Unmarshal([]byte(texts[1]), &token); err != nil || token.AccessToken == "" || token.ExpiresIn <= 0 || token.TokenType != "Bearer" {
			t.Errorf("task %d: token %q: %v", i, texts[1], err)
		}
	}
	if len(ids) != 4 || ids[""] {
		t.Errorf("four attempts have the ids %v", ids)
	}
}

// contract: MD-2 MD-3 MD-17
func TestMetadataWantsItsHeader(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	// busybox's nc shows the answer as it comes.
	raw := func(headers string) string {
		return fmt.Sprintf(`printf 'GET /computeMetadata/v1/project/project-id HTTP/1.0\r\nHost: metadata.google.internal\r\n%s\r\n' | nc 169.254.169.254 80`, headers)
	}
	for headers, status := range map[string]string{
		"":                            "403",
		`Metadata-Flavor: google\r\n`: "403",
		`Metadata-Flavor: Google\r\n`: "200",
		`Metadata-Flavor: Google\r\nX-Forwarded-For: 10.0.0.1\r\n`: "403",
	} {
		o := runJSON(h, h.Script(raw(headers))...)
		o.Exits(0)
		texts := o.texts(0, "stdout")
		if len(texts) == 0 || !strings.Contains(texts[0], " "+status+" ") {
			t.Errorf("%q: got %q, want status %s", headers, texts, status)
		}
		answer := o.text(0, "stdout")
		for _, want := range []string{"Metadata-Flavor: Google", "Server: Metadata Server for Serverless"} {
			if !strings.Contains(answer, want) {
				t.Errorf("%q: no %q in\n%s", headers, want, answer)
			}
		}
	}
}
