package metadata

import (
	"strconv"
	"testing"
	"time"
)

func TestVerifiedIsBounded(t *testing.T) {
	t.Parallel()
	var v verified
	now := time.Now()
	often := verifiedKey("often", nil)
	v.keep(often, verifiedToken{"me", now.Add(time.Hour)})
	for i := range 10 * maxVerified {
		v.keep(verifiedKey(strconv.Itoa(i), nil), verifiedToken{"them", now.Add(time.Hour)})
		if email, ok := v.find(often, now); !ok || email != "me" {
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if n := len(v.new) + len(v.old); n > maxVerified {
		t.Errorf("%d tokens are kept", n)
	}
	if _, ok := v.find(verifiedKey("0", nil), now); ok {
		t.Error("the first one of many is still known")
	}
	if _, ok := v.find(often, now.Add(time.Hour)); ok {
		t.Error("found after its end")
	}
}
