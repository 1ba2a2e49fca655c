package xds

import (
	"testing"
	"time"
)

// A deadline that passes between the step that still waited and the setting of the alarm is not slept through.
func TestAlarmOfADeadlineThatHasJustPassed(t *testing.T) {
	s := &stream{server: &Server{}, waiting: map[string]*warming{}}
	looked := time.Now()
	s.waiting["c"] = &warming{until: looked.Add(time.Nanosecond)}
	if d := s.untilAlarm(looked); d > time.Millisecond {
		t.Errorf("the alarm is set %v ahead", d)
	}
	s.waiting["c"] = &warming{until: looked}
	if d := s.untilAlarm(looked); d < time.Minute {
		t.Errorf("what a step has looked at already is due again in %v", d)
	}
}
