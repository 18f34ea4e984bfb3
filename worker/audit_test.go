package worker

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/internal/testdb"
	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/starter"
)

// site is a worker with a database of its own, whose audits a test runs by hand.
type site struct {
	t        testing.TB
	ledger   *ledger.Ledger
	conn     *pgx.Conn
	temporal client.Client
	queue    string
	desk     *starter.Client
	// stop ends the worker.
	stop func()
	// begun are the workflows whose place in Temporal's list matters.
	begun []string
}

func newSite(t testing.TB, change ...func(*policy.Policy)) *site {
	t.Helper()
	url := testdb.New(t)
	require.NotEmpty(t, os.Getenv("TEMPORAL_ADDRESS"), "needs Temporal: run make test, or start make dev and source .closeloop/env")
	s := &site{t: t, queue: "audit/" + t.Name() + time.Now().Format("150405.000000")}
	options := envconfig.MustLoadDefaultClientOptions()
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	var err error
	s.temporal, err = client.Dial(options)
	require.NoError(t, err)
	t.Cleanup(s.temporal.Close)
	s.ledger, err = ledger.Open(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(s.ledger.Close)
	s.conn, err = pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.conn.Close(context.Background()) })
	s.desk = starter.New(s.temporal, s.queue, 20*time.Second)

	p := trial.Policy()
	for _, c := range change {
		c(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{
			Temporal: s.temporal, TaskQueue: s.queue, Ledger: s.ledger, Policy: p,
			Logger: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }, unscheduled: true,
		})
	}()
	stopped := false
	s.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(s.stop)
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err, "the worker has ended")
	}
	return s
}

// submit takes in a requirement and waits until the ledger has it.
func (s *site) submit() string {
	s.t.Helper()
	receipt, err := s.desk.Submit(s.t.Context(), requirement.Submission{
		Title: "导出报表", Customer: "Acme", Contact: "li@acme.example", SubmittedBy: "wang.fang",
	}, "")
	require.NoError(s.t, err)
	s.begun = append(s.begun, receipt.ID)
	s.settled(receipt.ID)
	return receipt.ID
}

func (s *site) does(id string, acts ...requirement.Act) {
	s.t.Helper()
	for _, act := range acts {
		_, err := s.desk.Do(s.t.Context(), id, act)
		require.NoError(s.t, err, act.Name())
	}
	s.settled(id)
}

// settled waits until the ledger has all that the workflow knows.
func (s *site) settled(id string) {
	s.t.Helper()
	s.until(func() bool {
		v, err := s.desk.View(s.t.Context(), id)
		require.NoError(s.t, err)
		entry := s.entry(id)
		d, err := s.temporal.DescribeWorkflowExecution(s.t.Context(), id, "")
		require.NoError(s.t, err)
		return entry.Seq == v.Seq && d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0
	}, "%s is settled", id)
}

// listed waits until Temporal's list of workflows says what the workflows do: it
// is behind by a moment, on a busy machine by seconds, and an audit that looks
// meanwhile finds what was so.
func (s *site) listed() {
	s.t.Helper()
	s.until(func() bool {
		latest := map[string]*workflowpb.WorkflowExecutionInfo{} // by run
		for next, more := []byte(nil), true; more; more = len(next) > 0 {
			page, err := s.temporal.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
				Query: "TaskQueue = '" + s.queue + "'", PageSize: 1000, NextPageToken: next,
			})
			require.NoError(s.t, err)
			for _, w := range page.GetExecutions() {
				latest[w.GetExecution().GetRunId()] = w
			}
			next = page.GetNextPageToken()
		}
		for _, id := range s.begun {
			d, err := s.temporal.DescribeWorkflowExecution(s.t.Context(), id, "")
			require.NoError(s.t, err)
			is := d.GetWorkflowExecutionInfo()
			said, ok := latest[is.GetExecution().GetRunId()]
			if !ok || said.GetStatus() != is.GetStatus() {
				return false
			}
			for name, value := range is.GetSearchAttributes().GetIndexedFields() {
				if !bytes.Equal(value.GetData(), said.GetSearchAttributes().GetIndexedFields()[name].GetData()) {
					return false
				}
			}
		}
		return true
	}, "the list of workflows is up to date")
}

func (s *site) until(condition func() bool, what ...any) {
	s.t.Helper()
	require.Eventually(s.t, condition, 30*time.Second, 20*time.Millisecond, what...)
}

func (s *site) entry(id string) ledger.Entry {
	s.t.Helper()
	entries, err := s.ledger.Entries(s.t.Context(), []string{id})
	require.NoError(s.t, err)
	return entries[id]
}

func (s *site) sql(statement string, args ...any) {
	s.t.Helper()
	_, err := s.conn.Exec(s.t.Context(), statement, args...)
	require.NoError(s.t, err)
}

// everything is what the ledger has of a requirement, but for its notices, which
// are sent once.
func (s *site) everything(id string) map[string][]string {
	s.t.Helper()
	found := map[string][]string{}
	for _, table := range []string{"requirement", "requirement_text", "requirement_version", "event", "clock", "approval_round", "approval_vote", "escalation"} {
		key := "requirement_id"
		if table == "requirement" {
			key = "id"
		}
		rows, err := s.conn.Query(s.t.Context(), `SELECT to_jsonb(x)::text FROM `+table+` x WHERE `+key+` = $1 ORDER BY 1`, id)
		require.NoError(s.t, err)
		found[table], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(s.t, err)
	}
	return found
}

// audit runs an audit that tolerates nothing, of everything.
func (s *site) audit(req contract.AuditRequest, change ...func(*activities.Audit)) contract.AuditPart {
	s.t.Helper()
	part := s.part(contract.AuditPartRequest{AuditRequest: req}, change...)
	require.Empty(s.t, part.Next)
	return part
}

func (s *site) part(req contract.AuditPartRequest, change ...func(*activities.Audit)) contract.AuditPart {
	s.t.Helper()
	s.listed()
	a := &activities.Audit{
		Ledger: s.ledger, Temporal: s.temporal, TaskQueue: s.queue, Retell: chronicler{s.temporal}.retell,
		Tolerance: time.Microsecond, Pause: 500 * time.Millisecond,
	}
	for _, c := range change {
		c(a)
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterActivityWithOptions(a.Part, activity.RegisterOptions{Name: contract.ActivityAudit})
	result, err := env.ExecuteActivity(contract.ActivityAudit, req)
	require.NoError(s.t, err)
	var part contract.AuditPart
	require.NoError(s.t, result.Get(&part))
	return part
}

// broken is something wrong, what the audit makes of it, and what is so after.
type broken struct {
	policy func(*policy.Policy)
	// break_ makes it wrong and returns the requirement.
	break_ func(s *site) string
	want   contract.Finding
	// same is set when the ledger has afterwards exactly what it had before.
	same  bool
	after func(s *site, id string)
	audit func(*activities.Audit)
}

// TestAudit breaks one thing at a time. It is found in a dry run, which changes
// nothing; it is repaired where that is safe; and then all is well, or as it was.
func TestAudit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]broken{
		"nothing": {break_: func(s *site) string { return "" }},
		"the workflow was terminated": {
			break_: func(s *site) string {
				id := s.submit()
				require.NoError(s.t, s.temporal.TerminateWorkflow(s.t.Context(), id, "", "by an operator"))
				return id
			},
			want: contract.Finding{Kind: contract.Orphaned, Repair: contract.Close, Repaired: true, Details: map[string]string{"status": "terminated"}},
			after: func(s *site, id string) {
				r, err := s.ledger.Get(s.t.Context(), id)
				require.NoError(s.t, err)
				require.Equal(s.t, requirement.Withdrawn, r.Stage)
			},
		},
		"the workflow is forgotten": {
			break_: func(s *site) string {
				r, err := requirement.New("REQ-NOWHERE1", requirement.Submission{Title: "t", Customer: "c"}, trial.Policy().Process, time.Now())
				require.NoError(s.t, err)
				_, err = s.ledger.Write(s.t.Context(), r.Take(), nil)
				require.NoError(s.t, err)
				return r.ID
			},
			want: contract.Finding{Kind: contract.Orphaned, Obstacle: contract.NoWorkflow, Details: map[string]string{"status": "missing"}},
		},
		"the ledger missed the end": {
			break_: func(s *site) string {
				id := s.submit()
				s.does(id, requirement.Withdraw{Header: by("customer"), Reason: "over"})
				require.NoError(s.t, s.temporal.GetWorkflow(s.t.Context(), id, "").Get(s.t.Context(), nil))
				s.sql(`UPDATE requirement SET closed_at = NULL, next_mark_at = NULL WHERE id = $1`, id)
				return id
			},
			want: contract.Finding{Kind: contract.Orphaned, Obstacle: contract.EndedByItself, Details: map[string]string{"status": "completed"}},
		},
		"the ledger lost the requirement": {
			break_: func(s *site) string {
				id := s.worked()
				s.sql(`DELETE FROM requirement WHERE id = $1`, id)
				s.sql(`DELETE FROM process`)
				return id
			},
			want: contract.Finding{Kind: contract.Unrecorded, Repair: contract.Retell, Repaired: true},
			same: true,
			after: func(s *site, id string) {
				reopened, err := ledger.Open(s.t.Context(), s.conn.Config().ConnString())
				require.NoError(s.t, err)
				defer reopened.Close()
				_, err = reopened.Get(s.t.Context(), id)
				require.NoError(s.t, err, "its rules are there, too")
				s.does(id, requirement.Comment{Header: by("wang.fang"), Message: "it goes on"})
			},
		},
		"the ledger lost what an earlier run wrote": {
			break_: func(s *site) string {
				id := s.worked()
				before := s.run(id)
				require.NoError(s.t, s.desk.Signal(s.t.Context(), id, contract.SignalContinueAsNew, nil))
				s.until(func() bool { return s.run(id) != before }, "a new run")
				s.does(id, requirement.Comment{Header: by("wang.fang"), Message: "a new run"})
				s.sql(`DELETE FROM requirement WHERE id = $1`, id)
				return id
			},
			want: contract.Finding{Kind: contract.Unrecorded, Repair: contract.Retell, Repaired: true},
			same: true,
		},
		"the ledger lost the latest facts": {
			break_: func(s *site) string {
				id := s.worked()
				seq := s.entry(id).Seq
				s.sql(`DELETE FROM event WHERE requirement_id = $1 AND seq > $2`, id, seq-3)
				s.sql(`UPDATE requirement SET seq = $2, stage = 'received', updated_at = (SELECT at FROM event WHERE requirement_id = $1 AND seq = $2) WHERE id = $1`, id, seq-3)
				return id
			},
			want: contract.Finding{Kind: contract.Drifted, Repair: contract.Retell, Repaired: true},
			same: true,
			after: func(s *site, id string) {
				s.does(id, requirement.Comment{Header: by("wang.fang"), Message: "it goes on"})
			},
		},
		"the ledger closed what goes on": {
			break_: func(s *site) string {
				id := s.worked()
				_, err := s.ledger.Terminate(s.t.Context(), id, time.Now(), "by mistake")
				require.NoError(s.t, err)
				return id
			},
			want: contract.Finding{Kind: contract.Drifted, Repair: contract.Nudge, Repaired: true},
			same: true,
		},
		"a row was changed by hand": {
			break_: func(s *site) string {
				id := s.worked()
				s.sql(`UPDATE requirement SET owner = 'nobody', stage = 'reviewing' WHERE id = $1`, id)
				return id
			},
			want: contract.Finding{Kind: contract.Drifted, Repair: contract.Nudge, Repaired: true},
			same: true,
		},
		"something is late": {
			break_: func(s *site) string {
				id := s.submit()
				s.sql(`UPDATE requirement SET next_mark_at = now() - interval '5 minutes' WHERE id = $1`, id)
				return id
			},
			want:  contract.Finding{Kind: contract.Overdue, Repair: contract.Nudge, Repaired: true},
			same:  true,
			audit: func(a *activities.Audit) { a.Tolerance = time.Minute },
		},
		"an escalation was terminated": {
			policy: func(p *policy.Policy) {
				p.Clocks[0].Target, p.Clocks[0].Marks = sla.Exactly(time.Second), nil
				p.Chains[0].Levels[0].People = []string{"li.na"}
			},
			break_: func(s *site) string {
				id := s.submit()
				child := contract.EscalationID(id, "response-1")
				s.until(func() bool {
					v, err := s.desk.View(s.t.Context(), id)
					require.NoError(s.t, err)
					return len(v.Escalations) == 1 && v.Escalations[0].Level == 1
				}, "li.na is called")
				s.settled(id)
				require.NoError(s.t, s.temporal.TerminateWorkflow(s.t.Context(), child, "", "by an operator"))
				s.begun = append(s.begun, child)
				return id
			},
			want: contract.Finding{
				Kind: contract.EscalationLost, Repair: contract.Restart, Repaired: true,
				Details: map[string]string{"escalation": "response-1", "state": "climbing"},
			},
			after: func(s *site, id string) {
				s.until(func() bool {
					v, err := s.desk.View(s.t.Context(), id)
					require.NoError(s.t, err)
					return v.Escalations[0].Level == 1
				}, "li.na is called again")
				s.settled(id)
				s.does(id, requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
				child := contract.EscalationID(id, "response-1")
				require.NoError(s.t, s.temporal.GetWorkflow(s.t.Context(), child, "").Get(s.t.Context(), nil), "it is told to stand down")
			},
		},
		"a history is long": {
			break_: func(s *site) string { return s.worked() },
			want:   contract.Finding{Kind: contract.LongHistory, Repair: contract.Renew, Repaired: true},
			same:   true,
			audit:  func(a *activities.Audit) { a.LongHistory = 20 },
		},
		"a clock has no deadline": {
			policy: func(p *policy.Policy) {
				office, err := policy.Default().Timetable("cn-office")
				require.NoError(t, err)
				p.Process.Calendars = []sla.Timetable{office}
				p.Clocks[1].Calendar, p.Clocks[1].Target, p.Clocks[1].Targets = "cn-office", sla.Exactly(50_000*time.Hour), nil
			},
			break_: func(s *site) string { return s.submit() },
			want:   contract.Finding{Kind: contract.Undated, Obstacle: contract.ByHand},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c broken) run(t *testing.T) {
	change := func(*policy.Policy) {}
	if c.policy != nil {
		change = c.policy
	}
	tune := func(*activities.Audit) {}
	if c.audit != nil {
		tune = c.audit
	}
	s := newSite(t, change)
	healthy := ""
	if c.want.Kind != contract.Undated { // that is so for all of them
		healthy = s.submit()
	}
	id := c.break_(s)
	wrong := s.everything(id)

	found := s.only(s.audit(contract.AuditRequest{DryRun: true}, tune), c.want.Kind, id)
	require.Equal(t, c.want.Repair, found.Repair)
	require.False(t, found.Repaired)
	require.Equal(t, wrong, s.everything(id), "a dry run changes nothing")

	found = s.only(s.audit(contract.AuditRequest{}, tune), c.want.Kind, id)
	if c.want.Kind != "" {
		require.WithinDuration(t, time.Now(), found.Since, 10*time.Minute)
	}
	if c.want.Details != nil {
		require.Equal(t, c.want.Details, found.Details)
	}
	found.Since, found.Details, c.want.Details, c.want.ID = time.Time{}, nil, nil, found.ID
	require.Equal(t, c.want, found)
	if c.want.Kind != "" && !c.want.Repaired {
		require.Equal(t, wrong, s.everything(id), "what only people can put right is left alone")
		return
	}
	if c.after != nil {
		c.after(s, id)
	}
	part := s.audit(contract.AuditRequest{Deep: true}, func(a *activities.Audit) { a.Tolerance = time.Minute })
	require.Empty(t, part.Findings, "all is well again")
	require.NotZero(t, part.Open)
	require.Equal(t, part.Open, part.Running)
	require.Nil(t, s.entry(healthy).ClosedAt)
}

// only returns the one finding of that kind; none when there is no kind. Other
// requirements of the site are well.
func (s *site) only(part contract.AuditPart, kind contract.FindingKind, id string) contract.Finding {
	s.t.Helper()
	if kind == "" {
		require.Empty(s.t, part.Findings)
		require.Zero(s.t, part.Found)
		return contract.Finding{}
	}
	var found []contract.Finding
	for _, f := range part.Findings {
		if f.ID == id || kind != contract.LongHistory {
			found = append(found, f)
		}
	}
	require.Len(s.t, found, 1)
	require.Equal(s.t, kind, found[0].Kind)
	require.Equal(s.t, id, found[0].ID)
	require.Equal(s.t, part.Kinds[kind].Found, part.Found)
	require.Equal(s.t, part.Kinds[kind].Repaired, part.Repaired)
	return found[0]
}

// worked is a requirement that an owner is at work on.
func (s *site) worked() string {
	s.t.Helper()
	id := s.submit()
	s.does(id,
		requirement.Triage{Header: by("wang.fang")}, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"},
		requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
	return id
}

func (s *site) run(id string) string {
	s.t.Helper()
	d, err := s.temporal.DescribeWorkflowExecution(s.t.Context(), id, "")
	require.NoError(s.t, err)
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}

// TestAuditWithoutAnAnswer: the workflow cannot be repaired while nobody works on
// its tasks, and another message is no help.
func TestAuditWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.submit()
	s.sql(`UPDATE requirement SET next_mark_at = now() - interval '5 minutes' WHERE id = $1`, id)
	s.stop()
	events := func() int64 {
		d, err := s.temporal.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		return d.GetWorkflowExecutionInfo().GetHistoryLength()
	}
	before := events()
	impatient := func(a *activities.Audit) { a.Patience = time.Second }
	found := s.only(s.audit(contract.AuditRequest{}, impatient), contract.Overdue, id)
	require.False(t, found.Repaired)
	require.Equal(t, contract.NoEffect, found.Obstacle)
	sent := events()
	require.Greater(t, sent, before)
	s.until(func() bool {
		d, err := s.temporal.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		task := d.GetPendingWorkflowTask()
		return task != nil && time.Since(task.GetScheduledTime().AsTime()) > time.Second
	}, "its task has waited")
	found = s.only(s.audit(contract.AuditRequest{}, impatient), contract.Overdue, id)
	require.Equal(t, contract.Stuck, found.Obstacle)
	require.Equal(t, sent, events(), "the task that waits is enough")
}

// TestAuditGoesFromPartToPart: what is wrong is found wherever its id stands.
func TestAuditGoesFromPartToPart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const many = 23
	for range many {
		s.submit()
	}
	entries, err := s.ledger.OpenEntries(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, entries, many)
	var wrong []string
	for _, i := range []int{0, 1, 2, 10, 19, 20, 22} {
		id := entries[i].ID
		require.NoError(t, s.temporal.TerminateWorkflow(t.Context(), id, "", "by an operator"))
		wrong = append(wrong, id)
	}
	lost := entries[11].ID
	s.sql(`DELETE FROM requirement WHERE id = $1`, lost)

	all := contract.NewAudited()
	parts := 0
	for after := ""; parts == 0 || after != ""; parts++ {
		part := s.part(contract.AuditPartRequest{After: after}, func(a *activities.Audit) {
			a.Page, a.Temporal = 2, alone{s.temporal, s.queue}
		})
		all.Add(part.Audited)
		after = part.Next
	}
	require.Equal(t, 2, parts)
	require.Equal(t, many-1, all.Open)
	require.Equal(t, many-len(wrong), all.Running)
	found := map[contract.FindingKind][]string{}
	for _, f := range all.Findings {
		require.True(t, f.Repaired)
		found[f.Kind] = append(found[f.Kind], f.ID)
	}
	require.Equal(t, map[contract.FindingKind][]string{contract.Orphaned: wrong, contract.Unrecorded: {lost}}, found)
}

// alone is a Temporal that lists the workflows of one queue only. Two at a time,
// those of all tests that went before would take minutes.
type alone struct {
	client.Client
	queue string
}

func (a alone) ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	r.Query += " AND TaskQueue = '" + a.queue + "'"
	return a.Client.ListWorkflow(ctx, r)
}

// TestScheduledAudit: the schedule is made once, and runs the audit.
func TestScheduledAudit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	for range 2 {
		require.NoError(t, ensureSchedule(ctx, s.temporal, s.queue))
	}
	schedule := s.temporal.ScheduleClient().GetHandle(ctx, contract.AuditScheduleID(s.queue))
	t.Cleanup(func() { _ = schedule.Delete(context.Background()) })
	id := s.submit()
	require.NoError(t, s.temporal.TerminateWorkflow(ctx, id, "", "by an operator"))
	require.NoError(t, schedule.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}))
	s.until(func() bool { return s.entry(id).ClosedAt != nil }, "%s is closed", id)
}

func by(who string) requirement.Header { return requirement.Header{Actor: who} }
