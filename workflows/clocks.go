package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"
)

// alarm is the next instant at which something falls due, and what it is.
type alarm struct {
	at   time.Time
	what string
}

// keepTime makes things happen when they fall due.
func (l *life) keepTime(ctx workflow.Context) {
	keepTimer(ctx, func() (alarm, bool) {
		next, ok := l.Next()
		return alarm{next.At, fmt.Sprintf("%s %s", next.Clock, next.Mark)}, ok && l.goesOn(ctx)
	}, func() { l.Tick(now(ctx)) })
}

// keepTimer holds one timer for the alarm that comes next, puts it right when
// another comes first, and rings when it has come. Without an alarm there is no
// timer. It ends when the workflow is cancelled.
func keepTimer(ctx workflow.Context, next func() (alarm, bool), ring func()) {
	for {
		var armed alarm
		if workflow.Await(ctx, func() (set bool) { armed, set = next(); return set }) != nil {
			return
		}
		timerCtx, cancel := workflow.WithCancel(ctx)
		timer := workflow.NewTimerWithOptions(timerCtx, armed.at.Sub(now(ctx)), workflow.TimerOptions{
			Summary: armed.what + " " + armed.at.Format(time.RFC3339),
		})
		changed := func() bool {
			a, set := next()
			return !set || !a.at.Equal(armed.at)
		}
		err := workflow.Await(ctx, func() bool { return timer.IsReady() || changed() })
		rang := timer.IsReady()
		cancel()
		if err != nil {
			return
		}
		if rang {
			ring()
		}
	}
}
