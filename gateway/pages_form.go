package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"closeloop/link"
	"closeloop/requirement"
)

// maxForm bounds what a page may send, in bytes: well above the longest text
// that the process takes, so that a longer one can be told from it and kept.
const maxForm = 1 << 20

// The fields of the pages' forms.
const (
	fieldAct     = "act"
	fieldNonce   = "nonce"
	fieldSeen    = "seen"
	fieldSeal    = "seal"
	fieldRating  = "rating"
	fieldComment = "comment"
	fieldReason  = "reason"
	fieldMessage = "message"
	fieldOption  = "option"
)

// typed are the fields that people fill in.
var typed = []string{fieldOption, fieldRating, fieldComment, fieldReason, fieldMessage}

// form is what a page sent, or is to show again. The zero value is a page that
// is opened.
type form struct {
	// Act that was asked for.
	Act string
	// nonce of the page that the form was on; every page that is opened has another.
	nonce string
	// seen is the cycle or round that the page showed: an answer is to what was
	// read, not to what came after it.
	seen   string
	seal   string
	values map[string]string
}

// errTooBig says that a form is longer than any honest one.
var errTooBig = errors.New("the form is too big")

// readForm reads what a page sent. Line ends become those of everything else.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			return form{}, errTooBig
		}
		return form{}, err
	}
	f := formOf(r.PostForm)
	return f, nil
}

func formOf(sent url.Values) form {
	f := form{
		Act: sent.Get(fieldAct), nonce: sent.Get(fieldNonce), seen: sent.Get(fieldSeen), seal: sent.Get(fieldSeal),
		values: map[string]string{},
	}
	for _, name := range typed {
		text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(sent.Get(name))
		f.values[name] = strings.TrimSpace(text)
	}
	return f
}

// actID names what was sent: the same page sent twice with the same words is one
// act, other words are another.
func (f form) actID() string {
	parts := []string{f.Act}
	for _, name := range typed {
		parts = append(parts, strconv.Quote(f.values[name]))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "link:" + f.nonce + ":" + hex.EncodeToString(sum[:8])
}

// sealed reports whether the form was on a page that we made for the link.
func (f form) sealed(keys link.Keys, token string) bool {
	return f.nonce != "" && len(f.nonce) <= 64 && keys.Sealed(f.seal, token, f.nonce, f.seen)
}

// hidden are the fields of a form that people do not see.
type hidden struct{ Nonce, Seen, Seal string }

// newHidden makes those of a page that is shown anew.
func newHidden(keys link.Keys, token, seen string) hidden {
	nonce := rand.Text()
	return hidden{nonce, seen, keys.Seal(token, nonce, seen)}
}

// foreign reports that a browser says that the form was sent from a page that is
// not ours. Those that say nothing are left to the seal. A browser that was told
// to send no referrer calls every origin null.
func (p *pages) foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil {
		return true
	}
	if base, err := url.Parse(p.Links.Base); err == nil && u.Scheme == base.Scheme && u.Host == base.Host {
		return false
	}
	return u.Host != r.Host
}

// problems are what is wrong with the fields of a form, by name.
type problems map[string]*requirement.Error

// problemsOf returns the field that a refusal is about; nil when it is about
// none.
func problemsOf(err error) problems {
	refused, ok := errors.AsType[*requirement.Error](err)
	if !ok || refused.Code != requirement.CodeInvalid {
		return nil
	}
	return problems{refused.Params["field"]: refused}
}
