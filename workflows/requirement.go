package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
)

// Workflows are the workflow functions. What it carries may be asked by
// validators only, which are not replayed.
type Workflows struct {
	// People says who may do what, as of now.
	People requirement.People
}

// Requirement is the life of one customer requirement, from intake to archive.
func (w *Workflows) Requirement(ctx workflow.Context, in contract.Input) (contract.Outcome, error) {
	l := &life{people: w.People, key: in.Key, attempt: in.Attempt}
	l.takeUp(in)
	l.listen(ctx)
	if l.takeIn(ctx, in.Submission); l.turnedAway != nil {
		return l.turnAway(ctx)
	}
	workflow.GoNamed(ctx, "signals", l.inbox.take)
	workflow.GoNamed(ctx, "clocks", l.keepTime)
	workflow.GoNamed(ctx, "ledger", l.keepLedger)
	workflow.GoNamed(ctx, "escalations", l.keepEscalations)
	l.tellOn(ctx, in.Telling)

	for l.goesOn(ctx) {
		l.receive(ctx)
		l.analyse(ctx)
		l.review(ctx)
		l.assign(ctx)
		l.execute(ctx)
		l.confirm(ctx)
		l.allowAppeal(ctx)
		l.handOver(ctx)
	}
	return l.finish(ctx)
}

// life is a requirement at work in a workflow.
type life struct {
	// Requirement is nil until it has been taken in.
	*requirement.Requirement
	// turnedAway is set when the intake does not become a requirement.
	turnedAway   *answer
	people       requirement.People
	key, attempt string

	// leave is set when the workflow is to continue as new at a quiet point.
	leave bool
	// cancelled is set when somebody cancelled the workflow.
	cancelled bool
	// writing counts the transitions that are on their way.
	writing int
	// telling are the transitions whose notices are being sent.
	telling []*telling
	// mergeAnswer is what a survivor said last.
	mergeAnswer contract.MergeAnswer
	// doubted is what the ledger has wrongly; the state is to be told anew.
	doubted *requirement.Standing
	// nudged are escalations to be told that somebody is at work.
	nudged []string
	inbox  inbox
}

// receive waits until somebody has classified the requirement.
func (l *life) receive(ctx workflow.Context) {
	l.while(ctx, requirement.Received)
}

// analyse finds an owner where the policy says how, and otherwise waits until
// somebody assigns one.
func (l *life) analyse(ctx workflow.Context) {
	l.while(ctx, requirement.Analysing, step{
		due: func() bool { return l.Routing != nil },
		do: func() {
			routing := l.Routing
			owner := findOwner(ctx, contract.OwnerRequest{Routing: *routing, At: now(ctx)})
			// Another owner may be looked for meanwhile; that is asked for itself.
			if l.Routing == routing && !l.stopped(ctx) {
				l.Route(now(ctx), owner.Owner, owner.Tracker)
			}
		},
	})
}

// review asks the people who must approve, and waits until they have decided or
// their time is up.
func (l *life) review(ctx workflow.Context) {
	l.while(ctx, requirement.Reviewing, step{
		due: func() bool { _, asking := l.Asking(); return asking },
		do: func() {
			rule, _ := l.Asking()
			round := l.Approval.Round
			seats := fillSeats(ctx, contract.SeatsRequest{
				Seats: rule.Seats, Cast: l.Cast(), Except: l.Requesters(), Fallback: rule.Fallback, At: now(ctx),
			})
			// Another round may have been asked for meanwhile; it asks for itself.
			if l.Approval.Round == round && !l.stopped(ctx) {
				l.OpenRound(now(ctx), seats)
			}
		},
	})
}

// assign waits until the owner has accepted or begun to work.
func (l *life) assign(ctx workflow.Context) { l.while(ctx, requirement.Assigned) }

// execute waits until the requirement is resolved.
func (l *life) execute(ctx workflow.Context) { l.while(ctx, requirement.Executing) }

// confirm waits for the customer's word, or for their silence to last long
// enough.
func (l *life) confirm(ctx workflow.Context) { l.while(ctx, requirement.Confirming) }

// allowAppeal waits whether a rejection is appealed.
func (l *life) allowAppeal(ctx workflow.Context) { l.while(ctx, requirement.Rejected) }

// goesOn reports whether the process goes on in this run. The run is left at a
// quiet point only.
func (l *life) goesOn(ctx workflow.Context) bool {
	return !l.Over() && !l.cancelled && !(l.leave && l.quiet(ctx) && l.toldEnough(ctx))
}

// stopped reports whether the workflow has been cancelled, which ends every
// look-up without an answer.
func (l *life) stopped(ctx workflow.Context) bool {
	l.cancelled = l.cancelled || ctx.Err() != nil
	return l.cancelled
}

// A step is what the workflow itself has to do in a stage.
type step struct {
	due func() bool
	do  func()
}

// while stays as long as the requirement is in the stage, and takes the stage's
// own steps when they are due. People's acts happen meanwhile.
func (l *life) while(ctx workflow.Context, stage requirement.Stage, steps ...step) {
	due := func() bool {
		for _, s := range steps {
			if s.due() {
				return true
			}
		}
		return false
	}
	for l.Stage == stage && l.goesOn(ctx) {
		for _, s := range steps {
			if s.due() {
				s.do()
			}
		}
		l.until(ctx, func() bool { return l.Stage != stage || due() })
	}
}

// until waits for the condition, for the end of the process, or for the need to
// continue as new. Being cancelled ends the wait.
func (l *life) until(ctx workflow.Context, condition func() bool) {
	err := workflow.Await(ctx, func() bool {
		l.leave = l.leave || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		return condition() || !l.goesOn(ctx)
	})
	if err != nil {
		l.cancelled = true
	}
}

// takeUp goes on with a requirement that an earlier run carried over. It comes
// before any handler, because updates that wait are handled at once.
func (l *life) takeUp(in contract.Input) {
	if in.State != nil && in.Process != nil {
		l.Requirement = requirement.Restore(*in.State, *in.Process)
	}
}

// takeIn begins a new requirement. An intake is turned away when the submission
// is wrong or the ledger has the requirement already.
func (l *life) takeIn(ctx workflow.Context, s requirement.Submission) {
	if l.Requirement != nil {
		return
	}
	info := workflow.GetInfo(ctx)
	id := info.WorkflowExecution.ID
	opening := lookUpOpening(ctx, contract.OpenRequest{ID: id, Origin: info.FirstRunID})
	if opening.Existing != nil {
		l.turnedAway = &answer{receipt: *opening.Existing}
		return
	}
	r, err := requirement.New(id, s, opening.Process, now(ctx))
	if err != nil {
		l.turnedAway = &answer{err: err}
		return
	}
	r.Origin = info.FirstRunID
	l.Requirement = r
}

// answer is what an intake gets that does not become a requirement.
type answer struct {
	receipt contract.Receipt
	err     error
}

// turnAway ends a run that has nothing to live for, once the intake call that
// waits for it has its answer.
func (l *life) turnAway(ctx workflow.Context) (contract.Outcome, error) {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return contract.Outcome{}, err
	}
	receipt := l.turnedAway.receipt
	return contract.Outcome{ID: receipt.ID, Stage: receipt.Stage}, contract.Refusal(l.turnedAway.err)
}

// finish leaves nothing half done: what happened is written and told, chains
// know that they have ended, every message was taken. Then the run ends, or
// continues as new with everything it knows.
func (l *life) finish(ctx workflow.Context) (contract.Outcome, error) {
	calm, _ := workflow.NewDisconnectedContext(ctx)
	if l.cancelled {
		l.Cancel(now(ctx))
	}
	// A message taken while settling may have brought work: settle until none
	// did.
	for {
		l.drain(calm)
		if err := workflow.Await(calm, func() bool { return l.quiet(calm) && l.toldAll() }); err != nil {
			return contract.Outcome{}, err
		}
		if !l.inbox.waiting() {
			break
		}
	}
	if l.cancelled {
		return contract.Outcome{ID: l.ID, Stage: l.Stage}, ctx.Err()
	}
	if !l.Over() {
		process := l.Process()
		return contract.Outcome{}, workflow.NewContinueAsNewError(ctx, contract.RequirementWorkflow, contract.Input{
			Key: l.key, State: &l.State, Process: &process, Telling: l.untold(),
		})
	}
	return contract.OutcomeOf(l.Requirement), nil
}

// quiet reports whether nothing is under way but notices to be sent.
func (l *life) quiet(ctx workflow.Context) bool {
	return l.writing == 0 && !l.Pending() && l.doubted == nil && len(l.EscalationsDue()) == 0 && len(l.EscalationsToEnd()) == 0 &&
		len(l.nudged) == 0 && workflow.AllHandlersFinished(ctx)
}

// now is the workflow's time.
func now(ctx workflow.Context) time.Time { return workflow.Now(ctx).UTC() }
