package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/ledger"
)

const (
	// streamPath is where the events are, which take as long as they are listened to.
	streamPath = "/v1/events"
	// heartbeat is how often a stream says something when nothing happens. Proxies
	// cut off who is silent for a minute.
	heartbeat = 15 * time.Second
	// MaxStreams is how many streams a principal may have at once in a process.
	MaxStreams = 10
	// streamPage is how many events are read at once, and streamWrite how long a
	// reader may take for them.
	streamPage  = 200
	streamWrite = 10 * time.Second
	// settleTime is how long a stream waits before it asks again whether those who
	// write have ended.
	settleTime = 20 * time.Millisecond
)

// streams counts those that are open.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// enter lets one more in, unless the principal has as many as may be.
func (s *streams) enter(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] >= MaxStreams {
		return false
	}
	s.open[id]++
	return true
}

func (s *streams) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id]--; s.open[id] == 0 {
		delete(s.open, id)
	}
}

type streamInput struct {
	Last        string `header:"Last-Event-ID" maxLength:"20" doc:"The id of the last event that arrived; what came after it is told first. Browsers send it by themselves when they connect again"`
	After       string `query:"after" maxLength:"20" doc:"The same for whoever cannot set the header; 0 begins with the first event there ever was"`
	Requirement string `query:"requirement" doc:"Only the events of this requirement" example:"REQ-7K2M9QXA"`
}

func (g *Gateway) registerStream(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "follow", Method: http.MethodGet, Path: streamPath, Tags: []string{"reading"},
		Summary: "What happens, as it happens",
		Description: "Server-sent events: one for each event of the requirements that the caller may read, in the order in " +
			"which they were written. `id` is the place in that order: whoever connects again with it as `Last-Event-ID` " +
			"misses nothing and is told nothing twice. Without it the stream begins with what is written after the answer " +
			"has begun.\n\nA comment comes every 15 seconds when nothing happens. The stream ends when the gateway does, and " +
			"when the token is no longer good.\n\nAn event that was written by a worker which was killed at that moment may be " +
			"taken back; then another one with the same `seq` follows, and it counts.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The events",
			Content: map[string]*huma.MediaType{"text/event-stream": {
				Schema:  &huma.Schema{Type: huma.TypeString, Description: "data is an event as of /v1/requirements/{id}/events, with the requirement's id"},
				Example: "id: 4711\ndata: {\"id\":\"REQ-7K2M9QXA\",\"seq\":7,\"at\":\"2026-11-24T09:00:00Z\",\"kind\":\"assigned\",\"actor\":\"li.na\",\"data\":{\"to\":\"wu.lei\"}}\n\n",
			}},
		}},
	}, g.follow)
}

func (g *Gateway) follow(ctx context.Context, in *streamInput) (_ *huma.StreamResponse, err error) {
	c := callOf(ctx)
	s := stream{Gateway: g, call: c}
	if err := reader(c.who); err != nil {
		return nil, err
	}
	if in.Requirement != "" {
		if s.only = contract.NormalID(in.Requirement); !requirementID.MatchString(s.only) {
			return nil, notHere
		}
		if err := g.readable(ctx, s.only); err != nil {
			return nil, err
		}
	}
	given, location := in.Last, "header.Last-Event-ID"
	if given == "" {
		given, location = in.After, "query.after"
	}
	if given != "" {
		if s.after, err = strconv.ParseInt(given, 10, 64); err != nil || s.after < 0 {
			return nil, wrongField(location, wrongValue)
		}
	}
	if !g.streams.enter(c.who.ID) {
		return nil, newProblem("too_many_streams")
	}
	told, deaf := g.ears.join() //nolint:contextcheck // it listens for all streams, and longer than for this one
	leave := func() { deaf(); g.streams.leave(c.who.ID) }
	// What is written from here on is told, so the beginning has to be known before
	// the answer begins.
	first, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	h, err := s.settled(first, nil)
	switch {
	case err != nil:
	case given == "":
		s.after = h.Last
	case s.after > h.Last:
		err = newProblem("cursor") // of another ledger, or made up
	}
	if err != nil {
		leave()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { //nolint:contextcheck // hc has the request's
		defer leave()
		r, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "text/event-stream")
		if r.Method != http.MethodHead {
			s.run(hc.Context(), w, told)
		}
	}}, nil
}

// stream is one that is open.
type stream struct {
	*Gateway
	call *call
	// only is the requirement that is followed; all when empty.
	only string
	// after is the position up to which everything was told.
	after int64
	out   http.ResponseWriter
}

// run tells events until the reader goes, the gateway stops, or the token is no
// longer good. An error ends it as well: the reader comes back with the position
// it has.
func (s *stream) run(ctx context.Context, w http.ResponseWriter, told <-chan struct{}) {
	s.out = w
	// nginx would collect the answer before it passes it on.
	w.Header().Set("X-Accel-Buffering", "no")
	beat := time.NewTicker(s.beat)
	defer beat.Stop()
	for err := s.say("retry: 2000\nid: %d\n\n", s.after); err == nil; {
		if err = s.catchUp(ctx, beat.C); err != nil {
			if ctx.Err() == nil {
				s.Logger.Warn("A stream has ended", "request", s.call.id, "error", err)
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.stopping.Done():
			return
		case <-told:
		case <-beat.C:
			err = s.refresh(ctx)
		}
	}
}

// refresh shows that the stream is alive, and looks whether the reader is still
// who they were.
func (s *stream) refresh(ctx context.Context) error {
	who, err := s.call.again(ctx)
	if err != nil {
		return err
	}
	s.call.who = who
	return s.say(": nothing happened\nid: %d\n\n", s.after)
}

// catchUp tells everything that is final by now.
func (s *stream) catchUp(ctx context.Context, beat <-chan time.Time) error {
	h, err := s.settled(ctx, beat)
	if err != nil {
		return err
	}
	for {
		some, err := s.Books.Feed(ctx, ledger.FeedFilter{
			After: s.after, Until: h.Last, Reader: s.call.who, Requirement: s.only, Limit: streamPage,
		})
		if err != nil {
			return err
		}
		if err := s.tell(some); err != nil {
			return err
		}
		if len(some) < streamPage {
			s.after = h.Last
			return nil
		}
	}
}

// settled returns a horizon that is reached. Meanwhile it shows that the stream
// is alive, when it has a beat.
func (s *stream) settled(ctx context.Context, beat <-chan time.Time) (ledger.Horizon, error) {
	h, err := s.Books.Horizon(ctx)
	for err == nil {
		var reached bool
		if reached, err = s.Books.Reached(ctx, h); reached || err != nil {
			break
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-s.stopping.Done():
			err = context.Canceled
		case <-beat:
			err = s.refresh(ctx)
		case <-time.After(settleTime):
		}
	}
	return h, err
}

// tell sends events.
func (s *stream) tell(some []ledger.Told) error {
	if len(some) == 0 {
		return nil
	}
	var text []byte
	for _, e := range some {
		data, err := json.Marshal(factOf(e.ID, e.Event))
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, "id: %d\ndata: %s\n\n", e.Position, data)
	}
	if err := s.say("%s", text); err != nil {
		return err
	}
	s.after = some[len(some)-1].Position
	return nil
}

// say sends a text at once.
func (s *stream) say(format string, args ...any) error {
	connection := http.NewResponseController(s.out)
	if err := connection.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil {
		return err
	}
	return connection.Flush()
}

// again finds out anew who sent a request that goes on for long.
func (g *Gateway) again(r *http.Request) func(context.Context) (access.Principal, error) {
	return func(ctx context.Context) (access.Principal, error) { return g.principal(r.WithContext(ctx)) }
}
