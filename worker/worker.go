package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/nexus/service"
	"closeloop/notify"
	"closeloop/policy"
	"closeloop/starter"
	"closeloop/workflows"
)

// Config is what a worker needs.
type Config struct {
	// Temporal is a connection; the caller closes it. Required.
	Temporal client.Client
	// Namespace of the connection. Default: default.
	Namespace string
	// TaskQueue. Default: [contract.DefaultTaskQueue].
	TaskQueue string
	// Ledger; the caller closes it. Required.
	Ledger *ledger.Ledger
	// Policy that new requirements live by, and in which people are looked up. It may
	// change meanwhile. Required.
	Policy policy.InForce
	// Endpoint is the name of the Nexus endpoint that leads to this worker's task
	// queue; it is made when it is missing. Empty: none is looked for.
	Endpoint string
	// Channels over which people are told.
	Channels notify.Channels
	// Links to the pages of customers and approvers that notices carry; none when
	// nil.
	Links notify.Links
	// Logger. Default: slog's default.
	Logger *slog.Logger
	// StopTimeout is how long activities may finish after the context has ended.
	// Default: 10 s.
	StopTimeout time.Duration
	// Ready, when not nil, is called once the worker takes tasks.
	Ready func()

	// unscheduled leaves the audit to be run by hand.
	unscheduled bool
}

func (c *Config) fill() {
	if c.Namespace == "" {
		c.Namespace = client.DefaultNamespace
	}
	if c.TaskQueue == "" {
		c.TaskQueue = contract.DefaultTaskQueue
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.StopTimeout <= 0 {
		c.StopTimeout = 10 * time.Second
	}
}

// stickyTimeout is how long a workflow waits for the worker that has it in its
// memory before any other takes it. A shorter time helps whoever types a command
// just after a worker was killed; but when hundreds of deadlines fall together,
// workflows that wait their turn would be taken from the memory of a worker that
// is only busy, and each would be replayed from its history, at the worst moment.
const stickyTimeout = 5 * time.Second

// Run runs a worker until the context ends, then lets it finish what it has
// begun. Several may run side by side. The connection to Temporal should go through
// [KeepAsking].
func Run(ctx context.Context, c Config) error {
	c.fill()
	if err := c.Ledger.SchemaCurrent(ctx); err != nil {
		return err
	}
	if err := c.Ledger.KeepProcess(ctx, c.Policy.Current().Process); err != nil {
		return err
	}
	if err := patiently(ctx, func(ctx context.Context) error {
		return ensureSearchAttributes(ctx, c.Temporal, c.Namespace)
	}); err != nil {
		return err
	}
	if err := patiently(ctx, func(ctx context.Context) error {
		if c.unscheduled {
			return nil
		}
		return ensureSchedule(ctx, c.Temporal, c.TaskQueue)
	}); err != nil {
		return err
	}
	if err := c.openEndpoint(ctx); err != nil {
		return err
	}
	w := worker.New(c.Temporal, c.TaskQueue, worker.Options{
		WorkerStopTimeout:                c.StopTimeout,
		StickyScheduleToStartTimeout:     stickyTimeout,
		MaxConcurrentWorkflowTaskPollers: workflowPollers,
		MaxConcurrentActivityTaskPollers: 8,
	})
	register(w, c)
	answers, err := service.New(starter.New(c.Temporal, c.TaskQueue, 0), c.Ledger)
	if err != nil {
		return fmt.Errorf("set the Nexus service up: %w", err)
	}
	w.RegisterNexusService(answers)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	c.Logger.Info("The worker takes tasks", "taskQueue", c.TaskQueue, "namespace", c.Namespace, "policy", c.Policy.Current().Digest)
	if c.Ready != nil {
		c.Ready()
	}
	<-ctx.Done()
	w.Stop()
	c.Logger.Info("The worker has stopped")
	return nil
}

// openEndpoint sees to the Nexus endpoint. A worker that may not make one serves
// all the same: an operator may, and callers wait.
func (c *Config) openEndpoint(ctx context.Context) error {
	if c.Endpoint == "" {
		return nil
	}
	err := patiently(ctx, func(ctx context.Context) error {
		return ensureEndpoint(ctx, c.Temporal, c.Endpoint, c.Namespace, c.TaskQueue)
	})
	if errors.Is(err, errNotOurs) {
		c.Logger.Warn("The Nexus endpoint has to be made by an operator", "endpoint", c.Endpoint, "error", err.Error(),
			"command", fmt.Sprintf("temporal operator nexus endpoint create --name %s --target-namespace %s --target-task-queue %s", c.Endpoint, c.Namespace, c.TaskQueue))
		return nil
	}
	return err
}

// register makes workflows and activities known under the names of contract.
func register(w worker.Registry, c Config) {
	flows := &workflows.Workflows{People: company{c.Policy}}
	w.RegisterWorkflowWithOptions(flows.Requirement, workflow.RegisterOptions{Name: contract.RequirementWorkflow})
	w.RegisterWorkflowWithOptions(flows.Escalation, workflow.RegisterOptions{Name: contract.EscalationWorkflow})
	w.RegisterWorkflowWithOptions(flows.Audit, workflow.RegisterOptions{Name: contract.AuditWorkflow})
	w.RegisterWorkflowWithOptions(flows.Redeliver, workflow.RegisterOptions{Name: contract.RedeliverWorkflow})

	people := func(p *policy.Policy) *activities.People { return &activities.People{Policy: p} }
	books := func(p *policy.Policy) *activities.Ledger { return &activities.Ledger{Ledger: c.Ledger, Policy: p} }
	told := func(p *policy.Policy) *activities.Notifications {
		return &activities.Notifications{Courier: notify.Courier{
			Store: c.Ledger, Source: c.Ledger, Channels: c.Channels, Links: c.Links, Directory: p.Directory, Logger: c.Logger,
		}}
	}
	auditor := &activities.Audit{
		Ledger: c.Ledger, Temporal: c.Temporal, TaskQueue: c.TaskQueue, Retell: chronicler{c.Temporal}.retell,
	}
	for _, a := range []struct {
		name string
		f    any
	}{
		{contract.ActivityOpen, asOf(c.Policy, books, (*activities.Ledger).Open)},
		{contract.ActivityPersist, asOf(c.Policy, books, (*activities.Ledger).Persist)},
		{contract.ActivityFindOwner, asOf(c.Policy, books, (*activities.Ledger).FindOwner)},
		{contract.ActivityFindPeople, asOf(c.Policy, people, (*activities.People).FindPeople)},
		{contract.ActivityFillSeats, asOf(c.Policy, people, (*activities.People).FillSeats)},
		{contract.ActivityStaffChain, asOf(c.Policy, people, (*activities.People).StaffChain)},
		{contract.ActivityReopen, asOf(c.Policy, books, (*activities.Ledger).Reopen)},
		{contract.ActivityNotify, asOf(c.Policy, told, (*activities.Notifications).Notify)},
		{contract.ActivityAudit, auditor.Part},
	} {
		w.RegisterActivityWithOptions(a.f, activity.RegisterOptions{Name: a.name})
	}
}
