package look

// Signals are numbers of signals in a state that a program may not expect when it
// begins.
type Signals struct {
	// Blocked are those that the first thread does not take, Pending those that
	// wait.
	Blocked []int `json:"blocked"`
	Pending []int `json:"pending"`
	// Ignored are those that are thrown away. A program in Go cannot see all that
	// were when it began: it takes all signals but SIGHUP and SIGINT for itself,
	// before any of its own code runs.
	Ignored []int `json:"ignored"`
}

func signals(s status) Signals {
	of := func(name string) []int {
		numbers := []int{}
		for _, n := range s.bits(name) {
			numbers = append(numbers, n+1)
		}
		return numbers
	}
	return Signals{Blocked: of("SigBlk"), Pending: of("ShdPnd"), Ignored: of("SigIgn")}
}
