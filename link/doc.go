// Package link makes and reads the signed links by which customers and
// approvers reach their pages (rows C1 to C3, R2, E5).
//
// A link is the whole of its authority: who has it may do what its purpose says,
// for its requirement, as its recipient, until it expires or is revoked. So it is
// a secret: it goes into notices and nowhere else, above all into no log.
//
// A token is one payload and an HMAC-SHA256 over it, in base64url. There is one
// algorithm and nothing to negotiate; the payload names the key, so that keys can
// be rotated: the first signs, all of them are believed.
//
// The package is pure: it knows neither HTTP nor SQL, and is told what time it
// is. Whether a link was revoked is for the ledger to say.
package link
