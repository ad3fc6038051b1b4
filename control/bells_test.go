package control

import "testing"

func TestBellsAreForgottenWithTheirListeners(t *testing.T) {
	t.Parallel()
	var b bells
	first, leaveFirst := b.listen("a")
	second, leaveSecond := b.listen("a")
	leaveFirst()
	b.ring("a", "b")
	for i, rung := range []<-chan struct{}{first, second} {
		select {
		case <-rung:
		default:
			t.Errorf("listener %d heard nothing", i)
		}
	}
	third, leaveThird := b.listen("a")
	leaveSecond() // of the bell that has rung, not of the new one
	if len(b.all) != 1 {
		t.Errorf("%d bells for one listener", len(b.all))
	}
	leaveThird()
	select {
	case <-third:
		t.Error("the third was told of the first change")
	default:
	}
	if len(b.all) != 0 {
		t.Errorf("%d bells for nobody", len(b.all))
	}
}
