package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/whatif"
)

// noon is the instant at which all of these tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const someID = "REQ-7K2M9QXA"

// calling is one call of the program with what it may reach.
type calling struct {
	args []string
	in   string
	env  []string
	// terminal says that there is somebody who can be asked.
	terminal bool
	desk     *fakeDesk
	books    *fakeArchive
	// now is when it is called, noon unless it is set, and zone where.
	now  time.Time
	zone *time.Location
	// passing says that time goes on between two looks at it.
	passing bool
}

// called is what came of it.
type called struct {
	status   int
	out, err string
}

func (c calling) run(t *testing.T) called {
	t.Helper()
	var out, errs bytes.Buffer
	env := append([]string{"TEMPORAL_CONFIG_FILE=" + t.TempDir() + "/none.toml", "TEMPORAL_ADDRESS=127.0.0.1:9"}, c.env...)
	a := newApp(c.args, strings.NewReader(c.in), &out, &errs, env)
	a.now, a.zone = func() time.Time { return noon }, time.UTC
	if !c.now.IsZero() {
		a.now = func() time.Time { return c.now }
	}
	if c.passing {
		began, looks := a.now(), 0
		a.now = func() time.Time {
			looks++
			return began.Add(time.Duration(looks) * time.Microsecond)
		}
	}
	if c.zone != nil {
		a.zone = c.zone
	}
	a.asks = func() bool { return c.terminal }
	if c.desk != nil {
		a.connect = func(context.Context) (desk, error) { return c.desk, nil }
	}
	if c.books != nil {
		a.open = func(context.Context) (archive, error) { return c.books, nil }
	}
	status := a.run(t.Context(), c.args)
	return called{status, out.String(), errs.String()}
}

// told is the error as a program reads it.
func (c called) told(t *testing.T) failure {
	t.Helper()
	var answer map[string]failure
	decoder := json.NewDecoder(strings.NewReader(c.err))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer), c.err)
	_, err := decoder.Token()
	require.ErrorIs(t, err, io.EOF, "one object and nothing else: %s", c.err)
	require.Contains(t, answer, "error")
	return answer["error"]
}

// fakeDesk remembers what it was asked.
type fakeDesk struct {
	fakeOrders
	mu        sync.Mutex
	submitted []requirement.Submission
	keys      []string
	acts      []requirement.Act
	ids       []string
	acked     []string
	adopted   []string
	unadopted map[string]error
	view      requirement.View
	// report is what an audit finds, waits what becomes of it meanwhile.
	report contract.AuditReport
	waits  func(context.Context, starter.AuditWaiting)
	audits []contract.AuditRequest
	err    error
}

func (d *fakeDesk) Submit(_ context.Context, s requirement.Submission, key string) (contract.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.submitted, d.keys = append(d.submitted, s), append(d.keys, key)
	return contract.Receipt{ID: someID, Created: true, Stage: requirement.Received}, d.err
}

func (d *fakeDesk) Do(_ context.Context, id string, act requirement.Act) (requirement.Verdict, error) {
	d.ids, d.acts = append(d.ids, id), append(d.acts, act)
	return requirement.Verdict{ID: id, Act: act.Name(), Accepted: true, Stage: requirement.Executing, Seq: 7}, d.err
}

func (d *fakeDesk) Acknowledge(_ context.Context, id, escalation string, a contract.Acknowledge) (contract.Acknowledged, error) {
	d.acked = append(d.acked, id+" "+escalation+" "+a.By())
	return contract.Acknowledged{Escalation: escalation, By: a.By(), Level: 2}, d.err
}

func (d *fakeDesk) Adopt(_ context.Context, id string, a contract.Adopt) (requirement.Verdict, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.unadopted[id]; err != nil {
		return requirement.Verdict{}, err
	}
	d.adopted = append(d.adopted, id+" "+a.Process.Digest+" "+a.By())
	return requirement.Verdict{ID: id, Act: requirement.ActAdopt, Accepted: true}, d.err
}

func (d *fakeDesk) View(_ context.Context, id string) (requirement.View, error) {
	v := d.view
	if v.ID == "" {
		v.ID = id
	}
	return v, d.err
}

func (d *fakeDesk) Audit(ctx context.Context, req contract.AuditRequest, waiting starter.AuditWaiting) (contract.AuditReport, error) {
	d.audits = append(d.audits, req)
	if d.waits != nil {
		d.waits(ctx, waiting)
	}
	return d.report, d.err
}

func (*fakeDesk) Close() {}

// fakeArchive is a ledger in memory.
type fakeArchive struct {
	fakeNotices
	fakeTokens
	fakeDeliveries
	// held is the requirement that is read, a new one when there is none.
	held   *requirement.Requirement
	rows   []ledger.Row
	next   string
	asked  ledger.Filter
	events []requirement.Event
	// account is what it has of the requirement that is to be explained.
	account requirement.Account
	// written are ids that the ledger tells of while somebody listens; arriving
	// is what it has from then on.
	written  []string
	arriving []requirement.Event
	// open are the requirements that have not ended; rules is the digest under which
	// the ledger shows them when it is asked.
	open  []*requirement.Requirement
	rules string
	// revoked counts how often the links of a recipient were.
	revoked map[string]int
	// exported is what an export finds.
	exported []ledger.Exported
	// lives are what is on record, since and until what was asked of them.
	lives        []whatif.Life
	since, until time.Time
	err          error
}

func (b *fakeArchive) Get(_ context.Context, id string) (*requirement.Requirement, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.held != nil {
		return b.held, nil
	}
	r, err := requirement.New(id, requirement.Submission{Title: "导出报表太慢", Customer: "云栖科技"}, policy.Default().Process, noon)
	if err == nil {
		r.Seq = len(b.events)
	}
	return r, err
}

func (b *fakeArchive) Events(_ context.Context, _ string, after, _ int) ([]requirement.Event, error) {
	var found []requirement.Event
	for _, e := range b.events {
		if e.Seq > after {
			found = append(found, e)
		}
	}
	return found, b.err
}

func (b *fakeArchive) Account(context.Context, string) (requirement.Account, error) {
	return b.account, b.err
}

func (b *fakeArchive) List(_ context.Context, f ledger.Filter) (ledger.Page, error) {
	b.asked = f
	return ledger.Page{Rows: b.rows, Next: b.next}, b.err
}

func (b *fakeArchive) Export(_ context.Context, f ledger.Filter, _ []requirement.Kind, each func(ledger.Exported) error) error {
	b.asked = f
	for _, x := range b.exported {
		if err := each(x); err != nil {
			return err
		}
	}
	return b.err
}

func (b *fakeArchive) Listen(_ context.Context, changed func(string)) error {
	changed("")
	b.events = append(b.events, b.arriving...)
	for _, id := range b.written {
		changed(id)
	}
	return nil
}

func (b *fakeArchive) OpenRequirements(_ context.Context, after string, _ int) ([]*requirement.Requirement, error) {
	var page []*requirement.Requirement
	for _, r := range b.open {
		// Two a page are enough to see that pages follow each other.
		if r.ID > after && len(page) < 2 {
			page = append(page, r)
		}
	}
	return page, b.err
}

func (b *fakeArchive) RulesOf(_ context.Context, ids []string) (map[string]string, error) {
	rules := map[string]string{}
	for _, id := range ids {
		rules[id] = b.rules
	}
	return rules, b.err
}

func (b *fakeArchive) Target(ctx context.Context, id string) (access.Target, error) {
	r, err := b.Get(ctx, id)
	if err != nil {
		return access.Target{}, err
	}
	return access.TargetOf(r.View(noon)), nil
}

func (b *fakeArchive) LinkVersion(_ context.Context, _, recipient string) (int, error) {
	return 1 + b.revoked[recipient], b.err
}

func (b *fakeArchive) RevokeLinks(_ context.Context, _, recipient, by string) (ledger.Revoked, error) {
	if b.revoked == nil {
		b.revoked = map[string]int{}
	}
	b.revoked[recipient]++
	return ledger.Revoked{Version: b.revoked[recipient], At: noon, By: by}, b.err
}

func (b *fakeArchive) Lives(_ context.Context, since, until time.Time, each func(whatif.Life) error) error {
	b.since, b.until = since, until
	for _, life := range b.lives {
		if err := each(life); err != nil {
			return err
		}
	}
	return b.err
}

func (*fakeArchive) Close() {}
