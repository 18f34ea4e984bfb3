package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkUpstreams looks at the systems whose tickets come in by themselves.
func (c *checker) checkUpstreams() {
	c.unique("the upstream system", each(c.p.Upstreams, func(u Upstream) string { return u.Name }), func(i int) []string { return at("upstreams", i, "name") })
	secrets := map[string]int{}
	for i, u := range c.p.Upstreams {
		if j, twice := secrets[u.envName()]; twice && u.Name != "" && c.p.Upstreams[j].Name != u.Name {
			c.wrong(at("upstreams", i, "name"), "the secrets of %s and of %s in line %d would stand in the same variable %s; give it another name",
				u.Name, c.p.Upstreams[j].Name, c.line(at("upstreams", j, "name")), u.SecretsEnv())
		} else {
			secrets[u.envName()] = i
		}
		for _, s := range u.Fields {
			c.checkSource(at("upstreams", i, "fields", s.Field), s)
		}
		switch {
		case u.MaxAge.WorkingDays != 0:
			c.wrong(at("upstreams", i, "max_age"), "signatures know no working days; write it in hours or minutes")
		case u.MaxAge.Time > maxMaxAge:
			c.wrong(at("upstreams", i, "max_age"), "%s is too long; write at most 24h", u.MaxAge)
		}
		if u.WriteBack != nil {
			where := func(j int) []string { return at("upstreams", i, "write_back", "events", j) }
			c.noDoubles("the event", u.WriteBack.Events, where)
			if j := slices.Index(u.WriteBack.Events, "commented"); j >= 0 && u.On.Commented != ReactIgnore {
				c.warn(where(j), "comments of %s become ours and ours are written back: they may go round and round", u.Name)
			}
		}
	}
}

// checkSource looks at where a field comes from.
func (c *checker) checkSource(where []string, s FieldSource) {
	within := func(key string) []string { return append(where[:len(where):len(where)], key) }
	for _, key := range []string{"column", "template", "constant", "values", "otherwise"} {
		if c.excused(within(key)) {
			return
		}
	}
	origins := 0
	for _, given := range []bool{s.Column != "", s.Template != "", s.Constant != nil} {
		if given {
			origins++
		}
	}
	if origins != 1 {
		c.wrong(where, "name exactly one of column, template and constant")
	}
	if s.Otherwise != nil && s.Values == nil {
		c.wrong(within("otherwise"), "otherwise needs values: it is for what is not among them")
	}
	if s.Constant != nil {
		c.checkConstant(within("constant"), s.Field, *s.Constant)
		return
	}
	if s.Otherwise != nil {
		c.checkConstant(within("otherwise"), s.Field, *s.Otherwise)
	}
	c.checkConstant(within("default"), s.Field, s.Default)
}

// checkConstant looks at a value that stands in the file, of a field that has
// only some. Others become the policy's default, so a mistyped one would go
// unnoticed.
func (c *checker) checkConstant(where []string, field, value string) {
	if value == "" {
		return
	}
	switch field {
	case "type":
		c.reference(where, "type", value, c.types, "types")
	case "channel":
		c.reference(where, "channel", value, c.channels, "channels")
	default:
		allowed := map[string][]string{"priority": Priorities, "urgency": Urgencies, "tier": Tiers, "language": Languages}[field]
		if allowed != nil {
			c.reference(where, field, value, namesOf(allowed, func(s string) []string { return []string{s} }), field)
		}
	}
}

// webhookURL complains of addresses that webhooks must not be sent to: the
// message and what it says of a customer would be there to read on the way.
func webhookURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is not a web address like https://example.com/hooks/closeloop", s)
	case u.User != nil:
		return errors.New("a password has no place in the file; the receiver knows us by the signature")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("%q is not encrypted; write https:// (http:// is for this machine only)", s)
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
