package link

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The variables that links are set up with.
const (
	EnvKeys         = "CLOSELOOP_LINK_KEYS"
	EnvURL          = "CLOSELOOP_PUBLIC_URL"
	EnvDays         = "CLOSELOOP_LINK_DAYS"
	EnvApproverDays = "CLOSELOOP_LINK_APPROVER_DAYS"
)

// How long links are good for when nothing else is said. A customer may come
// back to a requirement months later; a vote is asked for within hours.
const (
	customerDays = 90
	approverDays = 14
	maxDays      = 3660
)

// The paths of the pages, before the token.
const (
	CustomerPath = "/r/"
	ApproverPath = "/a/"
)

// Issuer makes links and reads them. It is safe for concurrent use.
type Issuer struct {
	Keys
	// Base is the address under which the pages are reached from outside, without a
	// slash at its end.
	Base string
	// Customer and Approver are how long links are good for.
	Customer, Approver time.Duration
}

// ErrNotSetUp says that there are no links here, because there is no key or no
// address for them.
var ErrNotSetUp = errors.New("there are no links here: set " + EnvURL + " to the address of the gateway and " + EnvKeys + " to NAME:BASE64")

// FromEnv returns the issuer that the environment describes. The error is
// [ErrNotSetUp] when it describes none; any other says which variable is wrong,
// without its value where that is a secret.
func FromEnv(get func(name string) string) (*Issuer, error) {
	keys, base := get(EnvKeys), get(EnvURL)
	if keys == "" || base == "" {
		return nil, ErrNotSetUp
	}
	i := &Issuer{}
	var err error
	if i.Keys, err = ParseKeys(keys); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvKeys, err)
	}
	if i.Base, err = address(base); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvURL, err)
	}
	if i.Customer, err = days(get(EnvDays), customerDays); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvDays, err)
	}
	if i.Approver, err = days(get(EnvApproverDays), approverDays); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvApproverDays, err)
	}
	return i, nil
}

func address(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("write the address under which the gateway is reached, like https://care.example.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func days(text string, usual int) (time.Duration, error) {
	n := usual
	if text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxDays {
			return 0, fmt.Errorf("%q is not a number of days from 1 to %d", text, maxDays)
		}
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// Issued is a link as it is handed out. URL is a secret.
type Issued struct {
	Link
	URL string
}

// Issue signs a link of that version that is good from now on, for the customer
// when the recipient is [ToCustomer], otherwise for a person's vote in the round.
func (i *Issuer) Issue(requirement, recipient string, round, version int, now time.Time) (Issued, error) {
	l := Link{Requirement: requirement, Recipient: recipient, Purpose: ForCustomer, Version: version, Expires: now.Add(i.Customer)}
	path := CustomerPath
	if recipient != ToCustomer {
		l.Purpose, l.Round, l.Expires = ForApprover, round, now.Add(i.Approver)
		path = ApproverPath
	}
	l.Expires = l.Expires.Truncate(time.Second).UTC()
	token, err := i.Sign(l)
	if err != nil {
		return Issued{}, err
	}
	return Issued{Link: l, URL: i.Base + path + token}, nil
}

// Versions knows which links were revoked; the ledger does.
type Versions interface {
	// LinkVersion returns the version that links of the recipient have now.
	LinkVersion(ctx context.Context, requirement, recipient string) (int, error)
}

// Writer makes links of the version that is good now.
type Writer struct {
	Issuer   *Issuer
	Versions Versions
}

// Issue returns a link as [Issuer.Issue] does. The error is that of Versions, or
// says what cannot be in a link.
func (w Writer) Issue(ctx context.Context, requirement, recipient string, round int, now time.Time) (Issued, error) {
	version, err := w.Versions.LinkVersion(ctx, requirement, recipient)
	if err != nil {
		return Issued{}, err
	}
	return w.Issuer.Issue(requirement, recipient, round, version, now)
}

// Customer returns the address of the page of the requirement's customer.
func (w Writer) Customer(ctx context.Context, requirement string, now time.Time) (string, error) {
	issued, err := w.Issue(ctx, requirement, ToCustomer, 0, now)
	return issued.URL, err
}

// Approver returns the address of the page on which a person votes in the round.
func (w Writer) Approver(ctx context.Context, requirement, person string, round int, now time.Time) (string, error) {
	issued, err := w.Issue(ctx, requirement, person, round, now)
	return issued.URL, err
}
