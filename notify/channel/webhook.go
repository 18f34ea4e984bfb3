package channel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"closeloop/notify"
	"closeloop/policy"
)

// The headers of the Standard Webhooks specification.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

const (
	// longestRetryAfter bounds how long a receiver can ask to be left alone.
	longestRetryAfter = 4 * time.Hour
	// maxAnswer is how much of an answer is read, so that its connection can be used
	// again. What is in it means nothing.
	maxAnswer = 64 << 10
)

// hookWaits are the waits between attempts: some 24 hours in all, as the
// specification proposes.
var hookWaits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// Webhook returns the channel that tells upstream systems what became of their
// tickets, by webhooks signed as the Standard Webhooks specification has it. The
// address of a message is the system's name; its URL is in the policy, its
// secrets are in the environment. The error is about a secret that cannot be
// one; the logger is told of systems that have none.
//
// A redirect is not followed, and an address is looked at before it is connected
// to: a webhook goes neither to link-local and metadata addresses nor, unless
// its URL says so, to this machine.
func Webhook(rules policy.InForce, getenv func(string) string, logger *slog.Logger) (notify.Channel, error) {
	w := &webhook{rules: rules, getenv: getenv, client: hookClient()}
	var errs []error
	for _, u := range rules.Current().Upstreams {
		if u.WriteBack == nil {
			continue
		}
		switch _, err := w.secrets(u); {
		case errors.Is(err, errNoSecrets):
			logger.Warn("An upstream system is to be told what becomes of its tickets, and there is no secret to sign with",
				"upstream", u.Name, "set", u.WriteBackSecretsEnv()+"=whsec_…")
		case err != nil:
			errs = append(errs, err)
		}
	}
	return w, errors.Join(errs...)
}

type webhook struct {
	rules  policy.InForce
	getenv func(string) string
	client *http.Client
}

func (*webhook) Name() string { return policy.ChannelWebhook }

// Terms: the id of a webhook tells its receiver whether they have had it.
func (*webhook) Terms() notify.Terms {
	return notify.Terms{Repeatable: true, InOrder: true, Waits: hookWaits, Spread: 0.2, Patience: 24 * time.Hour}
}

func (w *webhook) Send(ctx context.Context, m notify.Message) error {
	refused := func(format string, args ...any) error {
		return &notify.SendError{Permanent: true, Err: fmt.Errorf(format, args...)}
	}
	u, ok := w.rules.Current().Upstream(m.Address)
	switch {
	case len(m.Payload) == 0:
		return refused("a webhook is for systems, and %s is none", m.Recipient)
	case !ok || u.WriteBack == nil:
		return refused("the policy has no write_back for the upstream system %q", m.Address)
	}
	keys, err := w.secrets(u)
	if err != nil {
		return refused("%w", err)
	}
	id, at := m.ID, strconv.FormatInt(m.At.Unix(), 10)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.WriteBack.URL, bytes.NewReader(m.Payload))
	if err != nil {
		return refused("the address of the write-back of %s is wrong: %w", u.Name, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "closeloop")
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, at)
	r.Header.Set(headerSignature, signatures(keys, id, at, m.Payload))
	answer, err := w.client.Do(r)
	if err != nil {
		return &notify.SendError{Permanent: errors.Is(err, errForbidden), Err: plain(err)}
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	return verdict(answer, m.At)
}

// plain leaves the address out of an error: what is behind its question mark may
// be a secret.
func plain(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// verdict says what an answer means.
func verdict(answer *http.Response, now time.Time) error {
	code := answer.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	failed := &notify.SendError{Err: fmt.Errorf("the receiver answers %d %s", code, http.StatusText(code))}
	switch {
	case code >= 300 && code < 400:
		failed.Permanent = true
		failed.Err = fmt.Errorf("the receiver answers %d and redirects, which is not followed: write the final address into the policy", code)
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
		failed.RetryAfter = retryAfter(answer.Header.Get("Retry-After"), now)
	case code >= 400 && code < 500:
		failed.Permanent = true
	default:
		failed.RetryAfter = retryAfter(answer.Header.Get("Retry-After"), now)
	}
	return failed
}

// retryAfter reads a Retry-After: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestRetryAfter)
}
