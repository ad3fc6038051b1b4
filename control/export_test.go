package control

// LookAtTheClock has schedules notice that the clock has been set.
func LookAtTheClock(c *Control) { c.agenda.wake() }
