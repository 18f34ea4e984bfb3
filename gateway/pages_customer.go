package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/link"
	"closeloop/policy"
	"closeloop/requirement"
)

// customerActs are what a customer may do on their page. An answer to our
// question is a resumption with words in it.
var customerActs = []requirement.Name{
	requirement.ActConfirm, requirement.ActDispute, requirement.ActResume,
	requirement.ActComment, requirement.ActAppeal, requirement.ActWithdraw,
}

// customerPage shows a customer how far their requirement is.
func (p *pages) customerPage(w http.ResponseWriter, r *http.Request) {
	if v, ok := p.enter(w, r, link.ForCustomer); ok {
		v.forCustomer()
		v.showCustomer(http.StatusOK, "", nil)
	}
}

// forCustomer lets the visitor read the language of the requirement.
func (v *visit) forCustomer() { v.text = readerOf(v.r, v.held.Language) }

// customerAct does what a customer asked for on their page.
func (p *pages) customerAct(w http.ResponseWriter, r *http.Request) {
	v, ok := p.enter(w, r, link.ForCustomer)
	if !ok {
		return
	}
	v.forCustomer()
	if !v.sent.sealed(p.Links.Keys, v.token) {
		v.showCustomer(http.StatusForbidden, "stale", nil)
		return
	}
	act, err := v.customersAct()
	if act != nil && err == nil {
		err = act.Valid()
	}
	switch {
	case act == nil:
		v.showCustomer(http.StatusBadRequest, "stale", nil)
	case err != nil:
		v.showCustomer(http.StatusUnprocessableEntity, "wrong", problemsOf(err))
	default:
		v.do(act, v.customerSees(act), func(err error) {
			if wrong := problemsOf(err); wrong != nil {
				v.showCustomer(http.StatusUnprocessableEntity, "wrong", wrong)
				return
			}
			v.showCustomer(http.StatusConflict, "changed", nil)
		})
	}
}

// customersAct is the act that the form asks for: nil when it asks for none that
// a customer has. The error says which field cannot be read.
func (v *visit) customersAct() (requirement.Act, error) {
	f := v.sent
	header := requirement.Header{ActID: f.actID(), Actor: requirement.CustomerActor, Via: access.ViaLink + link.ToCustomer}
	switch requirement.Name(f.Act) {
	case requirement.ActConfirm:
		rating, err := ratingOf(f.values[fieldRating])
		return requirement.Confirm{Header: header, Rating: rating, Comment: f.values[fieldComment]}, err
	case requirement.ActDispute:
		return requirement.Dispute{Header: header, Reason: f.values[fieldReason]}, nil
	case requirement.ActResume:
		act := requirement.Resume{Header: header, Message: f.values[fieldMessage]}
		if act.Message == "" {
			return act, missing(fieldMessage)
		}
		return act, nil
	case requirement.ActComment:
		return requirement.Comment{Header: header, Message: v.withOption(f)}, nil
	case requirement.ActAppeal:
		return requirement.Appeal{Header: header, Reason: f.values[fieldReason]}, nil
	case requirement.ActWithdraw:
		return requirement.Withdraw{Header: header, Reason: f.values[fieldReason]}, nil
	default:
		return nil, nil
	}
}

// missing is the refusal of a form that lacks what the page asks for.
func missing(name string) error {
	return &requirement.Error{
		Code: requirement.CodeInvalid, Message: name + ": it is missing", Params: map[string]string{"field": name, "problem": "missing"},
	}
}

// ratingOf reads a rating; none is fine.
func ratingOf(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 5 {
		return 0, &requirement.Error{
			Code: requirement.CodeInvalid, Message: "rating: it is 1 to 5",
			Params: map[string]string{"field": fieldRating, "problem": "out_of_range", "value": "?", "min": "1", "max": "5"},
		}
	}
	return n, nil
}

// withOption puts the way out that the customer chose before their words (E7).
func (v *visit) withOption(f form) string {
	n, err := strconv.Atoi(f.values[fieldOption])
	if err != nil || n < 1 || n > 3 {
		return f.values[fieldMessage]
	}
	chosen := v.text.Text("page.chosen", map[string]any{"N": n})
	if f.values[fieldMessage] == "" {
		return chosen
	}
	return chosen + "\n" + f.values[fieldMessage]
}

// customerSees reports whether the requirement is still what the page showed
// when the form was filled in.
func (v *visit) customerSees(act requirement.Act) bool {
	return v.customerMay(act.Name()) && v.sent.seen == strconv.Itoa(v.held.Cycle)
}

// customerMay reports whether the customer may do the act now.
func (v *visit) customerMay(act requirement.Name) bool {
	if !slices.Contains(customerActs, act) || !slices.Contains(v.held.Can(), act) {
		return false
	}
	if act == requirement.ActResume {
		return v.asked()
	}
	return true
}

// asked reports whether the customer has to answer before we go on (E5).
func (v *visit) asked() bool { return v.held.Hold != nil && v.held.Hold.Kind() == policy.HoldCustomer }

// outcome returns the requirement in which a merged one lives on; false when it
// cannot be found.
func (v *visit) outcome() (*requirement.Requirement, bool) {
	r := v.held
	// A merge may be followed by others, but never in a circle.
	for range 20 {
		if r.MergedInto == "" {
			return r, r != v.held
		}
		next, err := v.Books.Get(v.r.Context(), r.MergedInto)
		if err != nil {
			if !errors.Is(err, ledger.ErrNotFound) {
				v.Logger.Warn("What a requirement was merged into could not be read", "requirement", r.ID, "error", err.Error())
			}
			return nil, false
		}
		r = next
	}
	return nil, false
}
