package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"closeloop/contract"
	"closeloop/ledger"
)

// diagnosis is a finding and what can be done about it.
type diagnosis struct {
	contract.Finding
	treatment
}

// treatment is a way to repair a finding.
type treatment struct {
	repair contract.Repair
	// do repairs, or begins to; nil when nothing can be done. The error may be a
	// [*blocked].
	do func(ctx context.Context) error
	// done reports whether the repair shows; now is what the ledger has now.
	done func(ctx context.Context, now ledger.Entry) (bool, error)
}

// blocked is the error of a repair that is not possible now.
type blocked struct {
	by contract.Obstacle
	// cause may be nil.
	cause error
}

func (b *blocked) Error() string { return fmt.Sprintf("%s: %v", b.by, b.cause) }

func (a *audit) diagnose(look seen, kind contract.FindingKind, since time.Time, details map[string]string, how treatment) *diagnosis {
	return &diagnosis{
		Finding: contract.Finding{
			Kind: kind, ID: look.id, Since: since.UTC(), Details: details, Repair: how.repair,
		},
		treatment: how,
	}
}

// treat repairs what was found and notes it.
func (a *audit) treat(ctx context.Context, found []*diagnosis) error {
	var begun []*diagnosis
	if !a.req.DryRun {
		err := each(ctx, found, func(ctx context.Context, d *diagnosis) error {
			if d.do != nil {
				d.fail(d.do(ctx))
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	for _, d := range found {
		if !a.req.DryRun && d.do != nil && d.Obstacle == "" {
			begun = append(begun, d)
		}
	}
	if err := a.await(ctx, begun); err != nil {
		return err
	}
	for _, d := range found {
		a.note(d.Finding)
	}
	return nil
}

// fail notes why a repair did not succeed.
func (d *diagnosis) fail(err error) {
	if err == nil {
		return
	}
	why := &blocked{contract.Failed, err}
	errors.As(err, &why)
	if d.Obstacle = why.by; why.cause != nil {
		d.Error = why.cause.Error()
	}
}

// await waits until the repairs show, and looks again after twice as long each
// time.
func (a *audit) await(ctx context.Context, begun []*diagnosis) error {
	until := time.Now().Add(min(a.patience(), a.waiting))
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		if err := a.check(ctx, begun); err != nil {
			return err
		}
		begun = slices.DeleteFunc(begun, func(d *diagnosis) bool { return d.Repaired || d.Obstacle != "" })
		left := time.Until(until)
		if len(begun) == 0 || left <= 0 {
			break
		}
		wait = min(wait, left)
		a.waiting -= wait
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	for _, d := range begun {
		d.Obstacle = contract.NoEffect
	}
	return nil
}

// check finds out which repairs show.
func (a *audit) check(ctx context.Context, begun []*diagnosis) error {
	ids := make([]string, len(begun))
	for i, d := range begun {
		ids[i] = d.ID
	}
	entries, err := a.Ledger.Entries(ctx, ids)
	if err != nil {
		return err
	}
	return each(ctx, begun, func(ctx context.Context, d *diagnosis) (err error) {
		if d.Repaired, err = d.done(ctx, entries[d.ID]); err != nil {
			d.fail(err)
		}
		return ctx.Err()
	})
}

// closing ends a requirement in the ledger whose workflow was ended from
// outside, and tells its escalations that their cause is gone.
func (a *audit) closing(look seen) treatment {
	info := look.workflow.GetWorkflowExecutionInfo()
	return treatment{
		repair: contract.Close,
		do: func(ctx context.Context) error {
			reason := "its workflow has ended from outside: " + info.GetStatus().String()
			if _, err := a.Ledger.Terminate(ctx, look.id, info.GetCloseTime().AsTime(), reason); err != nil {
				return err
			}
			ended, err := a.Ledger.Get(ctx, look.id)
			if err != nil {
				return err
			}
			for _, e := range ended.Escalations {
				if err := a.signal(ctx, contract.EscalationID(look.id, e.ID), contract.SignalStandDown, nil); err != nil {
					return err
				}
			}
			return nil
		},
		done: func(_ context.Context, now ledger.Entry) (bool, error) { return now.ClosedAt != nil, nil },
	}
}

// retelling writes what the ledger lacks from the histories of the workflow. Its
// notices are not sent again: the workflow has seen to them.
func (a *audit) retelling(look seen) treatment {
	return treatment{
		repair: contract.Retell,
		do: func(ctx context.Context) error {
			if a.retold.Add(1) > maxRetold {
				return &blocked{by: contract.NextRun}
			}
			told, err := a.Retell(ctx, look.id, look.entry.Seq)
			if err != nil {
				return &blocked{contract.NoHistory, err}
			}
			if len(told) == 0 {
				return &blocked{by: contract.Writing}
			}
			for _, t := range told {
				if t.Process != nil {
					if err := a.Ledger.KeepProcess(ctx, *t.Process); err != nil {
						return err
					}
				}
				if _, err := a.Ledger.Write(ctx, t, nil); err != nil {
					return err
				}
			}
			return nil
		},
		done: func(_ context.Context, now ledger.Entry) (bool, error) {
			return now.Seq > look.entry.Seq, nil
		},
	}
}

// nudging has the workflow let happen what is due and tell its state anew.
func (a *audit) nudging(look seen, done func(now ledger.Entry) bool) treatment {
	standing := look.entry.Standing()
	return treatment{
		repair: contract.Nudge,
		do: func(ctx context.Context) error {
			return a.tell(ctx, look, contract.SignalTick, contract.Tick{Instead: &standing})
		},
		done: func(_ context.Context, now ledger.Entry) (bool, error) { return done(now), nil },
	}
}

// restarting has the workflow start escalations anew, all with one message: each
// is a fact, after which the requirement has moved on.
func (a *audit) restarting(look seen, ids []string) func(id string) treatment {
	var once sync.Once
	var told error
	return func(id string) treatment {
		return treatment{
			repair: contract.Restart,
			do: func(ctx context.Context) error {
				once.Do(func() {
					told = a.tell(ctx, look, contract.SignalEscalationsLost, contract.LostEscalations{IDs: ids, Seq: look.view.Seq})
				})
				return told
			},
			done: func(ctx context.Context, _ ledger.Entry) (bool, error) {
				child, err := a.describe(ctx, contract.EscalationID(look.id, id))
				return child.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, err
			},
		}
	}
}

// renewing has the workflow continue as new.
func (a *audit) renewing(look seen) treatment {
	run := look.workflow.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	return treatment{
		repair: contract.Renew,
		do: func(ctx context.Context) error {
			return a.tell(ctx, look, contract.SignalContinueAsNew, nil)
		},
		done: func(ctx context.Context, _ ledger.Entry) (bool, error) {
			now, err := a.describe(ctx, look.id)
			info := now.GetWorkflowExecutionInfo()
			return info.GetExecution().GetRunId() != run || info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, err
		},
	}
}

// tell sends a message to a workflow that can take it.
func (a *audit) tell(ctx context.Context, look seen, signal string, body any) error {
	if a.waits(look) {
		return &blocked{by: contract.Stuck}
	}
	return a.signal(ctx, look.id, signal, body)
}

// signal sends a message; a workflow that has ended needs none.
func (a *audit) signal(ctx context.Context, id, name string, body any) error {
	err := a.Temporal.SignalWorkflow(ctx, id, "", name, body)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("signal %s to %s: %w", name, id, err)
	}
	return nil
}

// nameOf is the status of a workflow as details have it; missing when there is
// none.
func nameOf(status enumspb.WorkflowExecutionStatus) string {
	switch status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return "completed"
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		return "failed"
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "cancelled"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "terminated"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "timed_out"
	default:
		return "missing"
	}
}

// attributeText returns a search attribute that is a text.
func attributeText(attributes *commonpb.SearchAttributes, name string) string {
	var text string
	if p, ok := attributes.GetIndexedFields()[name]; ok && converter.GetDefaultDataConverter().FromPayload(p, &text) != nil {
		return ""
	}
	return text
}
