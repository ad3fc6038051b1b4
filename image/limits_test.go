package image

import "testing"

// What is written between two looks at the disk must not eat the reserve.
func TestReserveCoversWhatIsNotLookedAt(t *testing.T) {
	t.Parallel()
	if unseen := maxDefaultWorkers * diskCheckBytes; unseen > defaultReserveBytes/2 {
		t.Errorf("%d workers write %d bytes unseen, %d are kept free", maxDefaultWorkers, unseen, defaultReserveBytes)
	}
}
