package top

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// typist is a model that a test types at. Its commands run as the library runs them.
type typist struct {
	testing.TB
	*Model
	msgs chan tea.Msg
}

func newTypist(tb testing.TB, table *live.Table, tables []*target.Table, readOnly bool) *typist {
	r, err := cmdline.ParseClassic([]string{"-L"}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	a := &actor{tables: tables}
	if readOnly {
		a = nil
	}
	s := &typist{tb, newModel(table, &options{request: r}, a, styles{utf8: true}), make(chan tea.Msg, 1000)}
	s.tables = tables
	s.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	return s
}

// send gives the model a message.
func (s *typist) send(msg tea.Msg) {
	_, cmd := s.Update(msg)
	s.start(cmd)
}

// start runs a command.
func (s *typist) start(cmd tea.Cmd) {
	if cmd != nil {
		go func() { s.msgs <- cmd() }()
	}
}

// until takes the messages of commands until something is true.
func (s *typist) until(what string, ok func() bool) {
	s.Helper()
	for begun := time.Now(); !ok(); {
		select {
		case msg := <-s.msgs:
			switch msg := msg.(type) {
			case nil:
			case tea.BatchMsg:
				for _, cmd := range msg {
					s.start(cmd)
				}
			default:
				s.send(msg)
			}
		case <-time.After(10 * time.Millisecond):
			if time.Since(begun) > testwait.Scale(10*time.Second) {
				s.Fatalf("%s: waited too long; over the panel is %T, the message is %q", what, s.over, s.message)
			}
		}
	}
}

// key returns a key as the library sends it.
func key(name string) tea.KeyPressMsg {
	switch name {
	case "enter":
		return tea.KeyPressMsg{Code: tea.KeyEnter}
	case "esc":
		return tea.KeyPressMsg{Code: tea.KeyEscape}
	case "space":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// do types a key at the entries that are shown.
func (s *typist) do(name string, what shown) {
	cmd, ok := s.act(key(name), what)
	if !ok {
		s.Fatalf("%s has no meaning", name)
	}
	s.start(cmd)
}

// answer types a key at what lies over the panel.
func (s *typist) answer(name string) { s.start(s.over.key(s.Model, key(name))) }

// churner makes, ends and replaces entries. Each has a mark of its own, by which its
// incarnation is known: class<<20 | number. Only the highest eight bits are changed by
// others.
type churner struct {
	conn   *ctnetlink.Conn
	window *sync.Mutex // held while nothing may be replaced
	number uint32
	alive  map[int]uint32  // by tuple, the mark of the entry that was made last
	ended  map[uint32]bool // the marks of those that it ended
	random *rand.Rand
}

const (
	tuples    = 300
	burst     = 5         // of steps, between two pauses
	numbers   = 1<<20 - 1 // the bits of the mark that number an entry
	classes   = 0xf << 20
	changed   = 0xff << 24
	identical = numbers | classes
)

func churnTuple(i int) ctnetlink.Tuple {
	src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 7), 1}), uint16(1000+i))
	return ctnetlink.NewTuple(ctnetlink.ProtoUDP, src, netip.AddrPortFrom(addr4[1], uint16(50+i%3)))
}

// step does one thing to a random entry.
func (c *churner) step(tb testing.TB) {
	c.window.Lock()
	defer c.window.Unlock()
	i := c.random.IntN(tuples)
	mark, there := c.alive[i]
	if there && c.random.IntN(4) > 0 {
		// With its tuple only, as nothing knows better: the table has one entry with it.
		switch err := c.conn.Delete(ctnetlink.NewFlowSpec(churnTuple(i))); {
		case err == nil:
			c.ended[mark] = true
		case !errors.Is(err, ctnetlink.ENOENT):
			tb.Error(err)
		}
		delete(c.alive, i)
		if c.random.IntN(3) == 0 {
			return
		}
	}
	c.make(tb, i)
}

func (c *churner) make(tb testing.TB, i int) {
	en := ctnetlink.NewFlowSpec(churnTuple(i))
	en.Reply = en.Orig.Reverse()
	en.SetTimeout(time.Hour)
	c.number++
	mark := c.number&numbers | c.random.Uint32N(4)<<20
	en.Mark, en.Set = mark, en.Set.With(ctnetlink.AttrMark)
	switch err := c.conn.Create(en); {
	case err == nil:
		c.alive[i] = mark
	case !errors.Is(err, ctnetlink.EEXIST):
		tb.Error(err)
	}
}

// witness notes the marks of all entries that end.
type witness struct {
	mu    sync.Mutex
	ended map[uint32]bool
	left  chan struct{}
}

func newWitness(tb testing.TB, conn *ctnetlink.Conn) *witness {
	l, err := conn.Listen(ctnetlink.ListenRequest{Groups: []ctnetlink.Group{ctnetlink.GroupDestroy}})
	if err != nil {
		tb.Fatal(err)
	}
	w := &witness{ended: map[uint32]bool{}, left: make(chan struct{})}
	go func() {
		defer close(w.left)
		var e ctnetlink.Events
		for {
			b, err := l.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					tb.Error(err)
				}
				return
			}
			if b.Gap {
				tb.Error("events were lost")
			}
			w.mu.Lock()
			for e.Reset(b); e.Next(); {
				mark, _ := e.Flow().Mark()
				w.ended[mark&identical] = true
			}
			w.mu.Unlock()
		}
	}()
	tb.Cleanup(func() { l.Stop(); <-w.left })
	return w
}

// changedMark is the mark of --mark in a round.
func changedMark(round int) string {
	return fmt.Sprintf("%#x/%#x", uint32(1+round%255)<<24, uint32(changed))
}

// churn types at random screens over a table in which entries end and are replaced all
// the time, and checks after that: what was deleted had been named by a question that
// was answered with y, and so had what was changed.
//
// Nothing is replaced between the last look at entries and a change of their marks: an
// update names a tuple, and the table does not look at the id. If still is true nothing
// is replaced between the last look and a deletion either.
func churn(t *testing.T, conn *ctnetlink.Conn, act *target.Table, still bool, rounds int, pause time.Duration) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	window := new(sync.Mutex)
	w := newWitness(t, conn)
	c := &churner{conn: conn.Beside(), window: window, alive: map[int]uint32{}, ended: map[uint32]bool{},
		random: rand.New(rand.NewPCG(seed, 1))}
	defer c.conn.Close()
	for i := range tuples {
		c.make(t, i)
	}

	table := live.New([]live.Source{{Conn: conn.Beside(), Now: time.Now}}, live.Options{Interval: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		if err := table.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if !testwait.For(10*time.Second, func() bool { s := table.Status(); return !s.Reading && s.Entries > 0 }) {
		t.Fatal("the table is not read")
	}
	churning, stop := context.WithCancel(ctx)
	var churned sync.WaitGroup
	churned.Go(func() {
		for churning.Err() == nil {
			for range burst {
				c.step(t)
			}
			time.Sleep(pause)
		}
	})

	s := newTypist(t, table, []*target.Table{act}, false)
	s.actor.quiet = func(ch change) func() {
		if !still && ch.mark == "" {
			return func() {}
		}
		window.Lock()
		return window.Unlock
	}
	named, marked := map[uint32]bool{}, map[uint32]map[uint32]bool{} // by what is set
	deleted, questions, left := 0, 0, 0
	for round := range rounds {
		ch, o := s.round(random, round, table)
		if ch == nil {
			continue
		}
		questions++
		if o == nil {
			continue
		}
		if o.err != nil {
			t.Fatalf("round %d: %v", round, o.err)
		}
		left += o.ended + o.differ
		if o.change.mark == "" {
			maps.Copy(named, ch)
			deleted += o.done
		} else {
			high := o.change.value
			if marked[high] == nil {
				marked[high] = map[uint32]bool{}
			}
			maps.Copy(marked[high], ch)
		}
	}
	stop()
	churned.Wait()

	// The deaths that the churner did not cause are those that the screen caused.
	ours := map[uint32]bool{}
	testwait.For(10*time.Second, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		clear(ours)
		for mark := range w.ended {
			if !c.ended[mark] {
				ours[mark] = true
			}
		}
		return len(ours) >= deleted
	})
	for mark := range ours {
		if !named[mark] {
			t.Errorf("entry %#x was deleted, which no question had named", mark)
		}
	}
	if len(ours) != deleted {
		t.Errorf("%d entries were deleted, but %d were told", len(ours), deleted)
	}
	list, err := conn.DumpAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		mark, _ := f.Mark()
		if high := mark & changed; high != 0 && !marked[high][mark&identical] {
			t.Errorf("entry %#x got a mark, which no question had named", mark)
		}
	}
	t.Logf("%d questions; %d entries deleted, %d left out, %d ended by others, %d are left",
		questions, deleted, left, len(c.ended), len(list))
	if questions < rounds/2 || deleted < rounds/2 || left == 0 {
		t.Errorf("%d questions, %d entries deleted, %d left out of %d rounds: the test tests little", questions, deleted, left, rounds)
	}
}

// round shows a random screen, and types at it: what is to be done, some keys, and the
// answer to the question. It returns the marks of the entries that were named when it
// was answered, nil if there was no question, and what became of them, nil if the
// answer was no.
func (s *typist) round(random *rand.Rand, round int, table *live.Table) (named map[uint32]bool, o *outcome) {
	q := live.Query{}
	if random.IntN(2) == 0 {
		class := random.Uint32N(4) << 20
		q.Filter = &filter.Filter{Marks: []filter.MarkRange{{Min: class, Max: class, Mask: classes}}}
	}
	if random.IntN(4) == 0 {
		keys, err := cmdline.ParseKeys("dport")
		if err != nil {
			s.Fatal(err)
		}
		groups, err := table.Groups(context.Background(), &live.GroupQuery{Keys: keys, Sort: "entries", Limit: 3})
		if err != nil || len(groups.Groups) == 0 {
			return nil, nil
		}
		q.Group = &groups.Groups[random.IntN(len(groups.Groups))].ID
	}
	if random.IntN(5) == 0 {
		q.Search = fmt.Sprintf("10.0.%d.1", random.IntN(7))
	}
	view := q
	view.Limit, view.Offset = 20, random.IntN(30)
	page, err := table.Page(context.Background(), &view)
	if err != nil {
		s.Fatal(err)
	}
	what := shown{query: q}
	if len(page.Rows) > 0 {
		what.row = &page.Rows[random.IntN(len(page.Rows))]
	}
	s.over, s.message = nil, ""
	if status := table.Status(); status.Marked > 0 && random.IntN(2) == 0 {
		s.do("U", what)
		s.until("no marks", func() bool { return s.message != "" })
	}
	for range random.IntN(5) * random.IntN(2) {
		if len(page.Rows) > 0 {
			s.do("t", shown{row: &page.Rows[random.IntN(len(page.Rows))], query: q})
		}
	}
	s.message, s.failed = "", false
	switch random.IntN(6) {
	case 0, 1:
		s.do("D", what)
	case 2:
		s.do("m", what)
		for _, c := range changedMark(round) {
			s.answer(string(c))
		}
		s.answer("enter")
	default:
		s.do("d", what)
	}
	s.until("a question", func() bool { _, ok := s.over.(*confirmation); return ok || s.message != "" })
	c, ok := s.over.(*confirmation)
	if !ok {
		return nil, nil // there is no such entry
	}
	time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond) // a person reads it
	named = map[uint32]bool{}
	for row := range c.choice.All() {
		mark, _ := row.Flow.Mark()
		named[mark&identical] = true
	}
	if random.IntN(3) == 0 {
		s.answer([]string{"n", "esc", "enter", "x", "d", "q"}[random.IntN(6)])
		s.until("no question", func() bool { return s.over == nil })
		return named, nil
	}
	s.outcome = nil
	s.answer("y")
	s.until("the end of it", func() bool { return s.outcome != nil })
	return named, s.outcome
}

// TestChurn is the churn over a table in the process.
func TestChurn(t *testing.T) {
	rounds := testwait.Size(300, 100)
	if testing.Short() {
		rounds = 200
	}
	table := newTestTable(t)
	churn(t, table.Conn, table.target(), false, rounds, 20*time.Microsecond)
}
