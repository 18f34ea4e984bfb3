// Package channel is the ways in which a notice reaches people, e-mail, and the
// log for trying out; and upstream systems: webhooks.
//
// A new channel is one small file with a type that implements [notify.Channel],
// and a line in channels.go that makes it from its environment variables. What
// it must keep:
//
//   - Send hands one message over once, within ctx, and never repeats it by
//     itself: retries, fall-back and parking are the business of notify.Courier.
//   - A channel whose receiver recognises a message that it has had, or that has to
//     keep an order, or is to be tried for long, says so with a method Terms.
//   - Failures are *notify.SendError: Permanent when trying again would not
//     help, MayHaveArrived when the message was handed over and no answer came,
//     RetryAfter when the other side says how long to wait. Services that answer
//     success with an error code inside are failures too.
//   - No secret (password, token, signed URL) is in an error or a log line.
//   - Key.Digest goes along as the id of the message wherever the service takes
//     one.
//
// The name of a channel for people must be known to the policy as well:
// policy.Channels.
//
// The package imports notify and the libraries of the channels; it knows no
// Temporal and no SQL.
package channel
