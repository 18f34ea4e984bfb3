package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
)

// maxSummary is the length to which one-line texts for the Web UI are cut, in
// bytes; the server's documentation promises no more.
const maxSummary = 200

// show puts on the Web UI how the requirement stands: the search attributes that
// have changed, and the details. It is done with each transition, so it costs
// no workflow task of its own.
func (l *life) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, l.details())
	if changed := l.changedAttributes(workflow.GetTypedSearchAttributes(ctx)); len(changed) > 0 {
		must(workflow.UpsertTypedSearchAttributes(ctx, changed...))
	}
}

// changedAttributes returns the updates that turn the present search attributes
// into the right ones.
func (l *life) changedAttributes(have temporal.SearchAttributes) []temporal.SearchAttributeUpdate {
	var changed []temporal.SearchAttributeUpdate
	keyword := func(key temporal.SearchAttributeKeyKeyword, want string) {
		if got, ok := have.GetKeyword(key); got == want && (ok || want == "") {
			return
		}
		if want == "" {
			changed = append(changed, key.ValueUnset())
			return
		}
		changed = append(changed, key.ValueSet(want))
	}
	flag := func(key temporal.SearchAttributeKeyBool, want bool) {
		if got, ok := have.GetBool(key); !ok && want || ok && got != want {
			changed = append(changed, key.ValueSet(want))
		}
	}
	keyword(contract.Stage, string(l.Stage))
	keyword(contract.Status, string(l.Stage.Status()))
	keyword(contract.Type, l.Type)
	keyword(contract.Priority, l.Priority)
	keyword(contract.Department, l.Department)
	keyword(contract.Owner, l.Owner)
	keyword(contract.WaitingFor, strings.Join(l.Waiting().Who, ", "))
	flag(contract.Breached, l.Breached())
	flag(contract.OnHold, l.Hold != nil)

	deadline, due := l.NextDeadline()
	// The server keeps microseconds; comparing more would upsert for ever.
	deadline = deadline.Truncate(time.Microsecond)
	got, set := have.GetTime(contract.NextDeadline)
	switch {
	case due && (!set || !got.Equal(deadline)):
		changed = append(changed, contract.NextDeadline.ValueSet(deadline))
	case !due && set:
		changed = append(changed, contract.NextDeadline.ValueUnset())
	}
	return changed
}

// cut shortens a text to at most n bytes without breaking a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const more = "…"
	end := n - len(more)
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return text[:end] + more
}
