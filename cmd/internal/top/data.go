package top

import (
	"context"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// data is where the screen gets what it shows: a *live.Table. Its methods may take
// tens of milliseconds: only commands call them.
type data interface {
	Status() live.Status
	History(n int) []live.Point
	SetInterval(d time.Duration)
	Page(ctx context.Context, q *live.Query) (*live.Page, error)
	Groups(ctx context.Context, q *live.GroupQuery) (*live.Groups, error)
	States(ctx context.Context, m *filter.Filter) ([]live.StateCount, error)
	EventsSince(after uint64, n int, m *filter.Filter) (events []live.Event, last uint64)
	Find(source int, f *ctnetlink.Flow) (r live.Ref, ok bool)
	Expectations(ctx context.Context) ([]live.Expectation, error)
	Mark(r live.Ref, on bool)
	MarkMatching(ctx context.Context, m *filter.Filter, g *live.GroupID, search string, on bool) (int, error)
	ChooseMarked() *live.Choice
	ChooseMatching(ctx context.Context, m *filter.Filter, g *live.GroupID, search string) (*live.Choice, error)
	ChooseInOrder(ctx context.Context, q *live.Query) (*live.Choice, error)
	ChooseOne(r live.Ref) *live.Choice
	Watch(r live.Ref) (look func() (*live.Row, live.Ending), stop func())
}
