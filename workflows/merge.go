package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
)

// answerTime is how long the survivor of a merge may take to answer.
const answerTime = time.Minute

// handOver asks the survivor of a merge to take this requirement over, and ends
// it when the survivor has said yes. A survivor that says no, is gone or does
// not answer sends the requirement back to where it was.
func (l *life) handOver(ctx workflow.Context) {
	l.while(ctx, requirement.Merged, step{due: l.Merging, do: func() { l.askSurvivor(ctx) }})
}

func (l *life) askSurvivor(ctx workflow.Context) {
	survivor := l.MergedInto
	l.mergeAnswer = contract.MergeAnswer{}
	handover := contract.Handover{From: l.ID, Merged: l.Handover()}
	if err := workflow.SignalExternalWorkflow(ctx, survivor, "", contract.SignalAbsorb, handover).Get(ctx, nil); err != nil {
		l.MergeUndone(now(ctx), survivor+" does not take it: "+err.Error())
		return
	}
	answered := func() bool { return l.mergeAnswer.From == survivor || !l.Merging() }
	inTime, err := waitFor(ctx, answerTime, "answer of "+survivor, answered)
	switch {
	case err != nil:
		l.cancelled = true
	case !inTime:
		l.MergeUndone(now(ctx), survivor+" does not answer")
	case !l.mergeAnswer.Taken:
		l.MergeUndone(now(ctx), survivor+" does not take it: "+l.mergeAnswer.Reason)
	default:
		l.MergeDone(now(ctx))
	}
}

// absorb answers a requirement that is to be merged into this one. Of two that
// are being merged into each other at the same time, the one with the smaller id
// survives. One that is being merged itself, or has ended, takes nothing over:
// nobody's requirement may end in another that nobody works on.
func (l *life) absorb(ctx workflow.Context, h contract.Handover) {
	answer := contract.MergeAnswer{From: l.ID}
	switch {
	case l.Over():
		answer.Reason = "it has ended"
	case l.Merging() && (l.MergedInto != h.From || l.ID > h.From):
		answer.Reason = "it is being merged into " + l.MergedInto
	default:
		if l.Merging() {
			l.MergeUndone(now(ctx), h.From+" is being merged into this requirement")
		}
		l.Absorb(now(ctx), h.Merged)
		answer.Taken = true
	}
	// Who asked and is gone needs no answer.
	_ = workflow.SignalExternalWorkflow(ctx, h.From, "", contract.SignalMergeAnswer, answer).Get(ctx, nil)
}

// waitFor waits for the condition, at most that long; it is false when the time
// ran out first.
func waitFor(ctx workflow.Context, most time.Duration, what string, condition func() bool) (bool, error) {
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timerCtx, most, workflow.TimerOptions{Summary: what})
	err := workflow.Await(ctx, func() bool { return condition() || timer.IsReady() })
	return condition(), err
}
