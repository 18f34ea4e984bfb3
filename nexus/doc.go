// Package nexus is for teams whose systems run on Temporal themselves: it is the
// contract of closeloop's Nexus service. Their workflows submit customer
// requirements and wait, for weeks if need be, for what becomes of them.
//
//	desk := nexus.At("closeloop") // the name of the Nexus endpoint
//	receipt, err := desk.Submit(ctx, nexus.Submission{
//		Upstream: "crm", Ref: "crm:1101",
//		Title: "Report export times out", Customer: "Acme Robotics",
//	})
//	if err != nil {
//		return err // nexus.RefusalOf tells whether the process said no, and why
//	}
//	outcome, err := desk.AwaitOutcome(ctx, receipt.ID)
//
// Callers in other languages need no more than the names in this package and
// plain JSON: the service is [Service], its operations are [OpSubmit],
// [OpAwaitOutcome] and [OpSubmitAndAwait].
//
// It holds names, messages and the calling side. It must not import any other
// package of closeloop, so that importing it brings nothing of the product's
// insides; besides the standard library it needs the Nexus and the Temporal SDK
// only. The serving side is in package service.
package nexus
