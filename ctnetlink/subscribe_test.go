package ctnetlink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

var allEvents = []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy}

// TestSubscribe: events come in their order, a loop that was left goes on where it
// ended, what was received before Close is still yielded, and a filter holds.
func TestSubscribe(t *testing.T) {
	for name, end := range map[string]func(s *ctnetlink.Subscription, cancel func()){
		"close":  func(s *ctnetlink.Subscription, _ func()) { s.Close() },
		"cancel": func(_ *ctnetlink.Subscription, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial()
			defer conn.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			orig := connection(0)
			s, err := conn.Subscribe(ctx, ctnetlink.ListenRequest{Groups: allEvents, Filter: &ctnetlink.EventFilter{
				Family: ctnetlink.FamilyIPv4, Orig: orig.Only(ctnetlink.FieldSrc)}})
			if err != nil {
				t.Fatal(err)
			}
			for port := range uint16(20) {
				tuple := connection(1000 + port)
				if port%4 == 3 { // for the filter
					tuple.Src = tuple.Src.Next()
				}
				en := ctnetlink.NewFlowSpec(tuple)
				en.SetTimeout(time.Minute)
				if err := errors.Join(conn.Create(en), conn.Delete(en)); err != nil {
					t.Fatal(err)
				}
			}
			end(s, cancel)
			var kept []*ctnetlink.Event
			for range 100 { // loops that are left after one event
				for e, err := range s.All() {
					if err != nil {
						t.Fatal(err)
					}
					kept = append(kept, e.Clone())
					break
				}
			}
			if len(kept) != 30 {
				t.Fatalf("%d events, want 30", len(kept))
			}
			for i, e := range kept {
				want := connection(uint16(1000 + i/2 + i/6))
				if *e.Flow.Orig() != want || e.Type != [...]ctnetlink.EventType{ctnetlink.EventNew, ctnetlink.EventDestroy}[i%2] ||
					e.Gap || e.Expect != nil || e.PortID() == 0 {
					t.Errorf("event %d: %v, want one of %v", i, e, &want)
				}
			}
			if loss := s.Loss(); loss != (ctnetlink.Loss{}) {
				t.Errorf("lost %+v", loss)
			}
			s.Close() // again
		})
	}
}

// TestSubscribeErrors: a filter that cannot be meant, and a socket that cannot be
// opened.
func TestSubscribeErrors(t *testing.T) {
	conn := dial()
	defer conn.Close()
	var field *ctnetlink.FieldError
	_, err := conn.Subscribe(t.Context(), ctnetlink.ListenRequest{Filter: &ctnetlink.EventFilter{Mark: 1}})
	if !errors.As(err, &field) || field.Field != "EventFilter.Mark" {
		t.Error(err)
	}
	broken := errors.New("broken")
	conn = ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return nil, broken })
	if _, err := conn.Subscribe(t.Context(), ctnetlink.ListenRequest{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}
