package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/access"
	"closeloop/policy"
	"closeloop/requirement"
)

// office is a desk and a register in memory: the domain itself decides what is
// allowed. Whatever is submitted is at once with somebody who works on it when
// quick is set, as if colleagues had been at it.
type office struct {
	t      require.TestingT
	rules  *policy.Policy
	quick  bool
	held   map[string]*requirement.Requirement // by reference
	tables map[string]Ticket
	kept   map[string]*Kept
	order  []string
	now    time.Time
	// down fails the next so many calls of the desk.
	down int
}

var errDown = errors.New("nobody answers")

func newOffice(t require.TestingT, quick bool) *office {
	return &office{
		t: t, rules: policy.Default(), quick: quick, now: noon,
		held: map[string]*requirement.Requirement{}, tables: map[string]Ticket{}, kept: map[string]*Kept{},
	}
}

func (o *office) people() requirement.Company {
	return requirement.Company{Directory: o.rules.Directory, Unknown: o.rules.UnknownPeople}
}

func (o *office) failing() error {
	if o.down > 0 {
		o.down--
		return errDown
	}
	return nil
}

func (o *office) Submit(_ context.Context, s requirement.Submission) (string, error) {
	if err := o.failing(); err != nil {
		return "", err
	}
	if r, ok := o.held[s.Ref]; ok {
		return r.ID, nil
	}
	s = s.Fill(o.rules.Defaults)
	if err := s.Valid(o.rules.Process); err != nil {
		return "", err
	}
	r, err := requirement.New(fmt.Sprintf("REQ-%d", len(o.held)+1), s, o.rules.Process, o.now)
	require.NoError(o.t, err)
	o.held[s.Ref] = r
	if o.quick {
		for _, act := range []requirement.Act{
			requirement.Triage{Header: requirement.Header{Actor: "li.na"}, Type: "service"},
			requirement.Assign{Header: requirement.Header{Actor: "li.na"}, To: "wang.fang"},
			requirement.Accept{Header: requirement.Header{Actor: "wang.fang"}},
		} {
			if act.Name() == requirement.ActAssign && r.Stage == requirement.Assigned {
				continue
			}
			require.NoError(o.t, o.act(r, act))
		}
		require.Equal(o.t, requirement.Executing, r.Stage)
	}
	return r.ID, nil
}

func (o *office) act(r *requirement.Requirement, act requirement.Act) error {
	o.now = o.now.Add(time.Second)
	if err := r.Check(o.people(), act); err != nil {
		return err
	}
	_, err := r.Do(o.now, act)
	return err
}

func (o *office) Do(_ context.Context, id string, act requirement.Act) error {
	if err := o.failing(); err != nil {
		return err
	}
	for _, r := range o.held {
		if r.ID == id {
			return o.act(r, act)
		}
	}
	return fmt.Errorf("no %s", id)
}

func (o *office) Hold(_ context.Context, ref string, f func(*Ticket) error) error {
	t := o.tables[ref]
	t.Ref = ref
	err := f(&t)
	if err == nil {
		o.tables[ref] = t
	}
	return err
}

func (o *office) Settle(_ context.Context, _, id string, r Result) error {
	if k := o.kept[id]; k != nil && !k.State.Settled() {
		k.State, k.Outcome, k.Reason = r.State, r.Outcome(), r.Reason()
	}
	return nil
}

func (o *office) Waiting(_ context.Context, _, ref string) ([]Kept, error) {
	var waiting []Kept
	for _, id := range o.order {
		if k := o.kept[id]; k.State == Received && slices.Contains(k.Refs, ref) {
			waiting = append(waiting, *k)
		}
	}
	return waiting, nil
}

// deliver brings a body, as the gateway does: once under each id.
func (o *office) deliver(u policy.Upstream, id string, body []byte) (Kept, error) {
	p := Proof{ID: id}
	k := Keep(u, p, "", body, noon)
	k.ID = id
	if o.kept[id] == nil {
		o.kept[id], o.order = &k, append(o.order, id)
	}
	if o.kept[id].State.Settled() {
		return *o.kept[id], nil
	}
	clerk := &Clerk{Desk: o, Register: o, Who: access.System(u.Name, "webhook:"+u.Name)}
	_, err := clerk.Process(context.Background(), u, o.rules.Process, *o.kept[id])
	return *o.kept[id], err
}

// comments are what is on record of a requirement, in no order.
func (o *office) comments(ref string) []string {
	var said []string
	r := o.held[ref]
	for _, v := range r.Done {
		if v.Act == requirement.ActComment && strings.Contains(v.ActID, "/comment/") {
			said = append(said, v.ActID)
		}
	}
	slices.Sort(said)
	return said
}

func shop(on policy.Reactions) policy.Upstream {
	text := fmt.Sprintf("\nupstreams:\n  - {name: shop, kind: standard, on: {commented: %s, reopened: %s, closed: %s, deleted: %s, updated: %s}}\n",
		or(string(on.Commented), "resume"), or(string(on.Reopened), "dispute"), or(string(on.Closed), "resolve"), or(string(on.Deleted), "withdraw"), or(string(on.Updated), "amend"))
	p, err := policy.Parse("p.yaml", []byte(string(policy.DefaultYAML())+text))
	if err != nil {
		panic(err)
	}
	return p.Upstreams[0]
}

// told is a body in our own form.
func told(event, title, state string, minute int, comment string) []byte {
	ticket := map[string]any{"id": "A-1", "updated_at": noon.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)}
	if title != "" {
		ticket["title"], ticket["description"], ticket["customer"] = title, "about "+title, "Acme"
	}
	if state != "" {
		ticket["state"] = state
	}
	data := map[string]any{"ticket": ticket}
	if comment != "" {
		data["comment"] = map[string]any{"id": comment, "text": "says " + comment, "by_customer": true}
	}
	body, err := json.Marshal(map[string]any{"type": "ticket." + event, "data": data})
	if err != nil {
		panic(err)
	}
	return body
}

func TestLifeOfATicket(t *testing.T) {
	t.Parallel()
	created := told("created", "Slow export", "open", 0, "")
	for name, tc := range map[string]struct {
		on     policy.Reactions
		quick  bool
		bodies [][]byte
		stage  requirement.Stage
		out    string
	}{
		"created":                      {bodies: [][]byte{created}, stage: "received", out: "submitted"},
		"commented":                    {bodies: [][]byte{created, told("commented", "Slow export", "open", 1, "c1")}, stage: "received", out: "commented"},
		"comments are remarks":         {on: policy.Reactions{Commented: "comment"}, bodies: [][]byte{created, told("commented", "Slow export", "open", 1, "c1")}, stage: "received", out: "remarked"},
		"comments are ignored":         {on: policy.Reactions{Commented: "ignore"}, bodies: [][]byte{created, told("commented", "Slow export", "open", 1, "c1")}, stage: "received", out: "ignored"},
		"comment first":                {bodies: [][]byte{told("commented", "Slow export", "open", 1, "c1")}, stage: "received", out: "submitted, commented"},
		"closed and nobody works":      {bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "received", out: "remarked"},
		"closed":                       {quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "confirming", out: "resolved"},
		"closed twice":                 {quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, ""), told("closed", "Slow export", "closed", 2, "")}, stage: "confirming", out: "unchanged"},
		"closed withdraws":             {on: policy.Reactions{Closed: "withdraw"}, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "withdrawn", out: "withdrawn"},
		"closed is a comment":          {on: policy.Reactions{Closed: "comment"}, quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "executing", out: "remarked"},
		"closed is ignored":            {on: policy.Reactions{Closed: "ignore"}, quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "executing", out: "ignored"},
		"closed confirms":              {on: policy.Reactions{Closed: "confirm"}, quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, "")}, stage: "executing", out: "remarked"},
		"reopened":                     {quick: true, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, ""), told("reopened", "Slow export", "open", 2, "")}, stage: "executing", out: "disputed"},
		"reopened late":                {quick: true, bodies: [][]byte{created, told("reopened", "Slow export", "open", 2, ""), told("closed", "Slow export", "closed", 1, "")}, stage: "executing", out: "stale"},
		"deleted":                      {bodies: [][]byte{created, told("deleted", "", "", 1, "")}, stage: "withdrawn", out: "withdrawn"},
		"deleted before it was known":  {bodies: [][]byte{told("deleted", "", "", 1, ""), created}, stage: "withdrawn", out: "submitted"},
		"deletion is ignored":          {on: policy.Reactions{Deleted: "ignore"}, bodies: [][]byte{created, told("deleted", "", "", 1, "")}, stage: "received", out: "ignored"},
		"commented after the end":      {bodies: [][]byte{created, told("deleted", "", "", 1, ""), told("commented", "Slow export", "open", 2, "c1")}, stage: "withdrawn", out: "refused, stale"},
		"closed after the end":         {on: policy.Reactions{Deleted: "ignore", Closed: "withdraw"}, bodies: [][]byte{created, told("closed", "Slow export", "closed", 1, ""), told("reopened", "Slow export", "open", 2, ""), told("closed", "Slow export", "closed", 3, "")}, stage: "withdrawn", out: "unchanged"},
		"another title":                {bodies: [][]byte{created, told("updated", "Very slow export", "open", 1, "")}, stage: "received", out: "amended"},
		"another title is ignored":     {on: policy.Reactions{Updated: "ignore"}, bodies: [][]byte{created, told("updated", "Very slow export", "open", 1, "")}, stage: "received", out: "ignored"},
		"the same title":               {bodies: [][]byte{created, told("updated", "Slow export", "open", 1, "")}, stage: "received", out: "unchanged"},
		"an older title":               {bodies: [][]byte{told("updated", "Very slow export", "open", 1, ""), created}, stage: "received", out: "unchanged"},
		"a time years ahead":           {bodies: [][]byte{told("created", "Slow export", "open", 1<<20, ""), told("updated", "Very slow export", "open", 1, "")}, stage: "received", out: "amended"},
		"a comment before it is known": {bodies: [][]byte{told("commented", "", "", 1, "c1")}, out: "waiting"},
		"nothing to us":                {bodies: [][]byte{created, []byte(`{"type": "user.created", "data": {}}`)}, stage: "received", out: ""},
		"no JSON":                      {bodies: [][]byte{created, []byte(`<xml/>`)}, stage: "received", out: "ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, o := shop(tc.on), newOffice(t, tc.quick)
			var last Kept
			for n, body := range tc.bodies {
				for range 2 {
					var err error
					last, err = o.deliver(u, fmt.Sprint("d", n), body)
					require.NoError(t, err)
				}
			}
			require.Equal(t, tc.out, last.Outcome)
			if tc.stage == "" {
				require.Empty(t, o.held)
				return
			}
			require.Len(t, o.held, 1)
			require.Equal(t, tc.stage, o.held["shop:A-1"].Stage)
		})
	}
}

// What came before its ticket was known is done once it is.
func TestEarlyComments(t *testing.T) {
	t.Parallel()
	u, o := shop(policy.Reactions{}), newOffice(t, false)
	early, err := o.deliver(u, "early", told("commented", "", "", 1, "c1"))
	require.NoError(t, err)
	require.Equal(t, Received, early.State)
	require.Empty(t, o.held)
	_, err = o.deliver(u, "created", told("created", "Slow export", "open", 0, ""))
	require.NoError(t, err)
	require.Equal(t, Done, o.kept["early"].State)
	require.Equal(t, "commented", o.kept["early"].Outcome)
	require.Equal(t, []string{"shop/comment/c1"}, o.comments("shop:A-1"))
}

// A service that is lost loses nothing: the same delivery carries on.
func TestInterruptions(t *testing.T) {
	t.Parallel()
	bodies := [][]byte{told("commented", "Slow export", "closed", 1, "c1"), told("updated", "Very slow export", "open", 2, "c2")}
	for down := 1; down <= 3; down++ {
		u, o := shop(policy.Reactions{Closed: policy.ReactWithdraw}), newOffice(t, true)
		want := newOffice(t, true)
		for n, body := range bodies {
			_, err := want.deliver(u, fmt.Sprint("d", n), body)
			require.NoError(t, err)
			for tries := 0; ; tries++ {
				require.Less(t, tries, 10)
				// Each try gets a call further than the one before.
				o.down = 0
				if tries < down {
					o.down = 1
				}
				k, err := o.deliver(u, fmt.Sprint("d", n), body)
				if err == nil {
					require.True(t, k.State.Settled())
					break
				}
				require.ErrorIs(t, err, errDown)
				require.Equal(t, Received, k.State)
			}
		}
		require.Equal(t, want.held["shop:A-1"].Stage, o.held["shop:A-1"].Stage)
		require.Equal(t, want.comments("shop:A-1"), o.comments("shop:A-1"))
		require.Equal(t, want.tables, o.tables)
	}
}

// TestAnyOrder: whatever happens to a ticket, and in whichever order and however
// often it is told, the end is the same: the same stage, the same wording, the
// same comments, the same state on record.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		on := policy.Reactions{
			// What ends a requirement cannot be taken back: there the order counts, and
			// TestWithdrawnForGood tells how.
			Closed:    rapid.SampledFrom([]policy.Reaction{"resolve", "comment", "ignore"}).Draw(t, "closed"),
			Commented: rapid.SampledFrom([]policy.Reaction{"resume", "comment", "ignore"}).Draw(t, "commented"),
			Deleted:   rapid.SampledFrom([]policy.Reaction{"withdraw", "ignore"}).Draw(t, "deleted"),
		}
		u := shop(on)
		quick := rapid.Bool().Draw(t, "quick")
		lives := rapid.SliceOfN(rapid.SampledFrom([]string{"commented", "closed", "reopened", "updated", "updated at once"}), 0, 7).Draw(t, "life")
		deleted := rapid.Bool().Draw(t, "is deleted")
		title, state, minute := "Slow export", "open", 0
		bodies := [][]byte{told("created", title, state, 0, "")}
		for n, event := range lives {
			comment := ""
			minute++
			switch event {
			case "commented":
				comment = fmt.Sprint("c", n)
			case "closed":
				state = "closed"
			case "reopened":
				state = "open"
			case "updated at once":
				minute--
				fallthrough
			case "updated":
				title = fmt.Sprint("Title ", n)
			}
			bodies = append(bodies, told(event, title, state, minute, comment))
		}
		if deleted {
			bodies = append(bodies, told("deleted", title, "", minute+1, ""))
		}
		numbers := make([]int, len(bodies))
		for n := range numbers {
			numbers[n] = n
		}
		shuffled := rapid.Permutation(append(slices.Clone(numbers), rapid.SliceOfN(rapid.SampledFrom(numbers), 0, 5).Draw(t, "repeated")...)).Draw(t, "order")

		straight, mixed := newOffice(t, quick), newOffice(t, quick)
		for _, n := range numbers {
			_, err := straight.deliver(u, fmt.Sprint("d", n), bodies[n])
			require.NoError(t, err)
		}
		for _, n := range shuffled {
			_, err := mixed.deliver(u, fmt.Sprint("d", n), bodies[n])
			require.NoError(t, err)
		}
		want, got := straight.held["shop:A-1"], mixed.held["shop:A-1"]
		require.Equal(t, want.Stage, got.Stage)
		require.Equal(t, straight.tables, mixed.tables)
		if !want.Over() {
			require.Equal(t, want.Title, got.Title)
			require.Equal(t, want.Description, got.Description)
			require.Equal(t, straight.comments("shop:A-1"), mixed.comments("shop:A-1"))
		}
	})
}

// TestIgnoredDeletion: one that the policy ignores makes nothing late that happened
// before it and is told after it.
func TestIgnoredDeletion(t *testing.T) {
	t.Parallel()
	u, o := shop(policy.Reactions{Deleted: policy.ReactIgnore}), newOffice(t, true)
	for n, body := range [][]byte{
		told("created", "Slow export", "open", 0, ""), told("deleted", "Slow export", "", 2, ""), told("closed", "Slow export", "closed", 1, ""),
	} {
		_, err := o.deliver(u, fmt.Sprint("d", n), body)
		require.NoError(t, err)
	}
	require.Equal(t, requirement.Confirming, o.held["shop:A-1"].Stage)
}

// A requirement that was ended stays so, also when its ticket is opened again;
// one that is told of the reopening first is not ended by the older closing.
func TestWithdrawnForGood(t *testing.T) {
	t.Parallel()
	u := shop(policy.Reactions{Closed: policy.ReactWithdraw})
	created := told("created", "Slow export", "open", 0, "")
	closed, reopened := told("closed", "Slow export", "closed", 1, ""), told("reopened", "Slow export", "open", 2, "")
	for want, bodies := range map[requirement.Stage][][]byte{
		requirement.Withdrawn: {created, closed, reopened},
		requirement.Received:  {reopened, closed, created},
	} {
		o := newOffice(t, false)
		for n, body := range bodies {
			_, err := o.deliver(u, fmt.Sprint("d", n), body)
			require.NoError(t, err)
		}
		require.Equal(t, want, o.held["shop:A-1"].Stage)
		require.Equal(t, Open, o.tables["shop:A-1"].State)
	}
}
