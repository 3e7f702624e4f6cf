package engine_test

import "github.com/gonntrack/gonntrack/ctnetlink/engine"

// engineTable is a new table for each sequence.
type engineTable setup

func (e engineTable) empty() (*side, error) {
	t := engine.New(engine.Options{Accounting: e.accounting, Timestamps: e.timestamps})
	var all [sockets + 1]socket
	for i := range all {
		s, err := t.Dial()
		if err != nil {
			return nil, err
		}
		if _, err := s.SetReadBuffer(listenBuffer); err != nil {
			return nil, err
		}
		all[i] = s
	}
	s, err := newSide("engine", [sockets]socket(all[:sockets]), all[sockets])
	if err != nil {
		return nil, err
	}
	return s, s.begin()
}

func (engineTable) done(s *side) { s.close() }
