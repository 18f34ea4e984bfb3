package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// small is a correct policy that the cases of this file spoil in one place.
const small = `defaults: {type: fault, channel: phone, priority: medium, urgency: general, tier: P3, language: en}
types: [fault, price]
channels: [phone, email]
clocks:
  - name: response
    calendar: 24x7
    target: 2h
    runs_in: [received, analysing]
    chain: front
approvals:
  - name: review
    on_request: true
    seats: [role:product, head]
    need: all
    on_timeout: escalate
routing:
  - department: service
    pick: round_robin
chains:
  - name: front
    levels:
      - people: [owner, role:manager]
        acknowledge_within: 15m
    alarm: [role:manager]
notices:
  - event: resolved
    to: [customer]
departments:
  - {id: service, name: 客服部, name_en: Service, head: li.na}
people:
  - id: li.na
    name: 李娜
    roles: [agent, manager, product]
    department: service
    email: li.na@example.com
    channels: [email, log]
  - id: wang.fang
    name: 王芳
    roles: [product]
    channels: [log]
`

func TestSmallPolicyIsCorrect(t *testing.T) {
	t.Parallel()
	_, err := Parse("small.yaml", []byte(small))
	require.NoError(t, err)
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{
			"unclosed list",
			"types: [fault, price]",
			"types: [fault, price",
			[]string{"3:1: $: not YAML: ',' or ']' must be specified"},
		},
		{
			"tab as indentation",
			"    target: 2h",
			"\ttarget: 2h",
			[]string{"7:1: $: not YAML: found character '\t' that cannot start any token"},
		},
		{
			"unclosed quote",
			"name: 李娜",
			"name: '李娜",
			[]string{"32:11: $: not YAML: could not find end character of single-quoted text"},
		},
		{
			"second document",
			"departments:",
			"---\ndepartments:",
			[]string{"29:1: $: a second document begins here; a policy is one document"},
		},
		{
			"unknown alias",
			"target: 2h",
			"target: *two",
			[]string{"7:13: $.clocks[0].target: unknown alias *two; an anchor &two has to stand before it"},
		},
		{
			"foreign tag",
			"target: 2h",
			"target: !hours 2h",
			[]string{"7:13: $.clocks[0].target: the tag !hours means nothing here; leave it out"},
		},
		{
			"merge of a word",
			"  - event: resolved",
			"  - <<: resolved\n    event: resolved",
			[]string{"26:5: $.notices[0]: << takes an alias of a mapping"},
		},
		{
			"unknown field at the top",
			"notices:",
			"notice:",
			[]string{`25:1: $.notice: unknown field "notice"; there is approvals, calendars, chains, channels, clocks, defaults, departments, holds, holidays, notices, people, routing, types, unknown_people, upstreams (did you mean "notices"?)`},
		},
		{
			"unknown field in a clock",
			"    calendar: 24x7",
			"    calender: 24x7",
			[]string{
				`5:5: $.clocks[0]: the field "calendar" is missing`,
				`6:5: $.clocks[0].calender: unknown field "calender"; there is calendar, caps, chain, marks, max_pause, name, on_reopen, pauses_on_hold, repeat, runs_in, target, targets (did you mean "calendar"?)`,
			},
		},
		{
			"unknown field after Chinese text in braces",
			"name: 客服部, name_en",
			"name: 客服部, nam_en",
			[]string{
				`29:5: $.departments[0]: the field "name_en" is missing`,
				`29:30: $.departments[0].nam_en: unknown field "nam_en"; there is head, id, name, name_en, tracker (did you mean "name_en"?)`,
			},
		},
		{
			"field that resembles nothing",
			"    target: 2h",
			"    target: 2h\n    colour: red",
			[]string{`8:5: $.clocks[0].colour: unknown field "colour"; there is calendar, caps, chain, marks, max_pause, name, on_reopen, pauses_on_hold, repeat, runs_in, target, targets`},
		},
		{
			"duplicate key",
			"    target: 2h",
			"    target: 2h\n    target: 3h",
			[]string{"8:5: $.clocks[0].target: the key is there already, in line 7; keep one of them"},
		},
		{
			"duplicate key in braces",
			"{type: fault, channel",
			"{type: fault, type: price, channel",
			[]string{"1:25: $.defaults.type: the key is there already, in line 1; keep one of them"},
		},
		{
			"missing field",
			"    pick: round_robin\n",
			"",
			[]string{`17:5: $.routing[0]: the field "pick" is missing`},
		},
		{
			"missing part",
			"channels: [phone, email]\n",
			"",
			[]string{`1:1: $: the field "channels" is missing`},
		},
		{
			"empty list",
			"types: [fault, price]",
			"types: []",
			[]string{
				`1:18: $.defaults.type: unknown type "fault"; there is none`,
				"2:8: $.types: the list is empty; name at least one",
			},
		},
		{
			"text for a truth value",
			"on_request: true",
			"on_request: yes",
			[]string{"12:17: $.approvals[0].on_request: this is text; write true or false"},
		},
		{
			"number for text",
			"name: front",
			"name: 12",
			[]string{"20:11: $.chains[0].name: this is a number; write text: put it in quotes"},
		},
		{
			"truth value for text",
			"name: 王芳",
			"name: true",
			[]string{"38:11: $.people[1].name: this is true or false; write text: put it in quotes"},
		},
		{
			"word for a list",
			"runs_in: [received, analysing]",
			"runs_in: received",
			[]string{"8:14: $.clocks[0].runs_in: this is text; write a list"},
		},
		{
			"list for fields",
			"  - event: resolved\n    to: [customer]",
			"  - [resolved]",
			[]string{"26:5: $.notices[0]: this is a list; write fields with values"},
		},
		{
			"nothing where fields belong",
			"    need: all",
			"    need: all\n    when:",
			[]string{"15:10: $.approvals[0].when: this is nothing; write fields with values, or leave the field out"},
		},
		{
			"fields for text",
			"calendar: 24x7",
			"calendar: {name: 24x7}",
			[]string{"6:15: $.clocks[0].calendar: this is fields with values; write text"},
		},
		{
			"fraction for a whole number",
			"    alarm: [role:manager]",
			"    alarm: [role:manager]\n    rounds: 1.5",
			[]string{"25:13: $.chains[0].rounds: this is a number; write a whole number"},
		},
		{
			"too large a number",
			"    alarm: [role:manager]",
			"    alarm: [role:manager]\n    rounds: 99999999999999999999999999",
			[]string{"25:13: $.chains[0].rounds: 99999999999999999999… is too large; write at most 20"},
		},
		{
			"too small a number",
			"    alarm: [role:manager]",
			"    alarm: [role:manager]\n    rounds: 0",
			[]string{"25:13: $.chains[0].rounds: 0 is too small; write at least 1"},
		},
		{
			"empty text",
			"name: 王芳",
			"name: ''",
			[]string{"38:11: $.people[1].name: the text is empty"},
		},
		{
			"ambiguous day",
			"target: 2h",
			"target: 1d",
			[]string{`7:13: $.clocks[0].target: "1d" is ambiguous: write 1wd for working days, or 24h for 1 times 24 hours`},
		},
		{
			"no duration",
			"target: 2h",
			"target: soon",
			[]string{`7:13: $.clocks[0].target: "soon" is not a duration: write it like 90s, 2h, 1h30m, PT2H or 3wd`},
		},
		{
			"zero target",
			"target: 2h",
			"target: 0s",
			[]string{`7:13: $.clocks[0].target: "0s" is no time at all; write at least 1ms`},
		},
		{
			"negative target",
			"target: 2h",
			"target: -2h",
			[]string{`7:13: $.clocks[0].target: "-2h" counts backwards; write a length from zero`},
		},
		{
			"endless target",
			"target: 2h",
			"target: 100000h",
			[]string{`7:13: $.clocks[0].target: "100000h" is longer than ten years`},
		},
		{
			"number as duration",
			"target: 2h",
			"target: 2",
			[]string{"7:13: $.clocks[0].target: this is a number; write text such as 90s"},
		},
		{
			"bad mark",
			"    chain: front",
			"    chain: front\n    marks: [half]",
			[]string{`10:13: $.clocks[0].marks[0]: "half" is not a mark: write a share of the target like 75%, or a distance from the deadline like -30m or +15m`},
		},
		{
			"mark at the deadline",
			"    chain: front",
			"    chain: front\n    marks: [50%, 100%]",
			[]string{"10:18: $.clocks[0].marks[1]: 100% is the deadline itself, which every clock has; leave it out"},
		},
		{
			"mark far off",
			"    chain: front",
			"    chain: front\n    marks: [5000%]",
			[]string{`10:13: $.clocks[0].marks[0]: "5000%" lies too far off; write at most 1000% or ten years`},
		},
		{
			"mark twice",
			"    chain: front",
			"    chain: front\n    marks: [50%, 75%, 50%]",
			[]string{"10:23: $.clocks[0].marks[2]: the mark 50% is there already, in line 10; keep one of them"},
		},
		{
			"bad quorum",
			"need: all",
			"need: most",
			[]string{`14:11: $.approvals[0].need: "most" is not a quorum: write all, any, or a number from 1`},
		},
		{
			"quorum of none",
			"need: all",
			"need: 0",
			[]string{`14:11: $.approvals[0].need: "0" is not a quorum: write all, any, or a number from 1`},
		},
		{
			"quorum larger than the seats",
			"need: all",
			"need: 3",
			[]string{"14:11: $.approvals[0].need: 3 approvals of 2 seats cannot be had; write all, any, or at most 2"},
		},
		{
			"identifier in capitals",
			"id: wang.fang",
			"id: Wang Fang",
			[]string{`37:9: $.people[1].id: "Wang Fang" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter`},
		},
		{
			"bad address",
			"email: li.na@example.com",
			"email: Li Na <li.na@example.com>",
			[]string{`35:12: $.people[0].email: "Li Na <li.na@example.com>" is not a plain e-mail address like li@example.com`},
		},
		{
			"bad instant",
			"    channels: [log]",
			"    channels: [log]\n    away: [{from: tomorrow, to: 2026-01-02T00:00:00Z}]",
			[]string{`41:19: $.people[1].away[0].from: "tomorrow" is not a point in time; write it like 2026-10-01T00:00:00+08:00`},
		},
		{
			"unknown clock",
			"name: response",
			"name: respons",
			[]string{`5:11: $.clocks[0].name: unknown value "respons"; there is response, resolution, update, next_response, approval, acceptance, ownership, plan, confirmation, appeal (did you mean "response"?)`},
		},
		{
			"unknown stage",
			"runs_in: [received, analysing]",
			"runs_in: [received, analyzing]",
			[]string{`8:25: $.clocks[0].runs_in[1]: unknown value "analyzing"; there is received, analysing, reviewing, assigned, executing, confirming, archived, rejected, withdrawn, merged (did you mean "analysing"?)`},
		},
		{
			"stage twice",
			"runs_in: [received, analysing]",
			"runs_in: [received, received]",
			[]string{"8:25: $.clocks[0].runs_in[1]: the stage received is there already, in line 8; keep one of them"},
		},
		{
			"clock that never runs",
			"runs_in: [received, analysing]",
			"runs_in: [confirming]",
			[]string{"8:14: $.clocks[0].runs_in: the clock response would never run: it exists only in received, analysing, reviewing, assigned, executing"},
		},
		{
			"unknown event",
			"event: resolved",
			"event: solved",
			[]string{`26:12: $.notices[0].event: unknown value "solved"; there is submitted, triaged, round_opened, vote_asked, approved, declined, delegated, round_decided, rejected, appealed, assigned, routing_failed, accepted, handed_back, responded, planned, progressed, held, resumed, resolved, confirmed, disputed, amended, reprioritised, merged, merge_taken, merge_undone, absorbed, withdrawn, commented, refused, archived, policy_adopted, cancelled, terminated, clock_started, clock_paused, clock_resumed, clock_retargeted, clock_stopped, clock_marked, clock_breached, clock_repeated, clock_lapsed, clock_undated, escalation_started, escalation_raised, escalation_acknowledged, escalation_alarm, escalation_ended (did you mean "resolved"?)`},
		},
		{
			"unknown pick",
			"pick: round_robin",
			"pick: roundrobin",
			[]string{`18:11: $.routing[0].pick: unknown value "roundrobin"; there is by_hand, least_loaded, round_robin (did you mean "round_robin"?)`},
		},
		{
			"unknown timeout",
			"on_timeout: escalate",
			"on_timeout: wait",
			[]string{`15:17: $.approvals[0].on_timeout: unknown value "wait"; there is escalate, approve, reject`},
		},
		{
			"unknown language",
			"language: en",
			"language: zh",
			[]string{`1:97: $.defaults.language: unknown value "zh"; there is zh-CN, en`},
		},
		{
			"unknown channel of a person",
			"channels: [email, log]",
			"channels: [sms, log]",
			[]string{`36:16: $.people[0].channels[0]: unknown value "sms"; there is email, log`},
		},
		{
			"unknown standing",
			"departments:",
			"unknown_people: allow\ndepartments:",
			[]string{`28:17: $.unknown_people: unknown value "allow"; there is refuse, agent`},
		},
		{
			"unknown priority in a condition",
			"    need: all",
			"    need: all\n    when: {priority: [hihg]}",
			[]string{`15:23: $.approvals[0].when.priority[0]: unknown value "hihg"; there is high, medium, low`},
		},
		{
			"unknown calendar",
			"calendar: 24x7",
			"calendar: office",
			[]string{`6:15: $.clocks[0].calendar: unknown calendar "office"; there is 24x7, cn-office`},
		},
		{
			"unknown chain",
			"chain: front",
			"chain: frnt",
			[]string{`9:12: $.clocks[0].chain: unknown chain "frnt"; there is front (did you mean "front"?)`},
		},
		{
			"unknown type in the defaults",
			"{type: fault",
			"{type: faults",
			[]string{`1:18: $.defaults.type: unknown type "faults"; there is fault, price (did you mean "fault"?)`},
		},
		{
			"unknown channel in the defaults",
			"channel: phone",
			"channel: fax",
			[]string{`1:34: $.defaults.channel: unknown channel "fax"; there is phone, email`},
		},
		{
			"unknown type in a condition",
			"    need: all",
			"    need: all\n    when: {type: [pric]}",
			[]string{`15:19: $.approvals[0].when.type[0]: unknown type "pric"; there is fault, price (did you mean "price"?)`},
		},
		{
			"unknown channel in a condition",
			"  - department: service",
			"  - when: {channel: [phone, fax]}\n    department: service",
			[]string{`17:29: $.routing[0].when.channel[1]: unknown channel "fax"; there is phone, email`},
		},
		{
			"unknown department of a route",
			"  - department: service",
			"  - department: servce",
			[]string{`17:17: $.routing[0].department: unknown department "servce"; there is service (did you mean "service"?)`},
		},
		{
			"unknown department of a person",
			"    department: service",
			"    department: sales",
			[]string{
				"18:11: $.routing[0].pick: the department service has nobody with the role agent; give it one, or write by_hand",
				`34:17: $.people[0].department: unknown department "sales"; there is service`,
			},
		},
		{
			"unknown head",
			"head: li.na}",
			"head: li.nan}",
			[]string{`29:54: $.departments[0].head: unknown person "li.nan"; there is li.na, wang.fang (did you mean "li.na"?)`},
		},
		{
			"unknown tracker",
			"head: li.na}",
			"head: li.na, tracker: zhao.min}",
			[]string{`29:70: $.departments[0].tracker: unknown person "zhao.min"; there is li.na, wang.fang`},
		},
		{
			"unknown substitute",
			"    channels: [log]",
			"    channels: [log]\n    substitute: li.nа",
			[]string{`41:17: $.people[1].substitute: "li.nа" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter`},
		},
		{
			"role that nobody has",
			"seats: [role:product, head]",
			"seats: [role:produkt, head]",
			[]string{`13:13: $.approvals[0].seats[0]: nobody has the role "produkt"; there is agent, manager, product (did you mean "product"?)`},
		},
		{
			"role without its prefix",
			"alarm: [role:manager]",
			"alarm: [manager]",
			[]string{`24:13: $.chains[0].alarm[0]: unknown seat "manager"; write owner, tracker, head, voters, role:ROLE or a person's id (did you mean "role:manager"?)`},
		},
		{
			"seat that makes no sense in a chain",
			"people: [owner, role:manager]",
			"people: [owner, customer]",
			[]string{"22:25: $.chains[0].levels[0].people[1]: customer has no meaning here; write owner, tracker, head, voters, role:ROLE or a person's id"},
		},
		{
			"seat that makes no sense in an approval",
			"seats: [role:product, head]",
			"seats: [role:product, owner]",
			[]string{"13:27: $.approvals[0].seats[1]: owner has no meaning here; write head, role:ROLE or a person's id"},
		},
		{
			"unknown audience",
			"to: [customer]",
			"to: [custmer]",
			[]string{`27:10: $.notices[0].to[0]: unknown audience "custmer"; write customer, duplicates, owner, tracker, head, voters, called, role:ROLE or a person's id (did you mean "customer"?)`},
		},
		{
			"unknown fallback",
			"    need: all",
			"    need: all\n    fallback: role:boss",
			[]string{`15:15: $.approvals[0].fallback: nobody has the role "boss"; there is agent, manager, product`},
		},
		{
			"unknown role within braces",
			"  - event: resolved\n    to: [customer]",
			"  - {event: resolved, to: [role:boss]}",
			[]string{`26:28: $.notices[0].to[0]: nobody has the role "boss"; there is agent, manager, product`},
		},
		{
			"clock twice",
			"approvals:",
			"  - {name: response, calendar: 24x7, target: 1h, runs_in: [received]}\napprovals:",
			[]string{"10:12: $.clocks[1].name: the clock response has a rule already, in line 5; put both into one"},
		},
		{
			"type twice",
			"types: [fault, price]",
			"types: [fault, price, fault]",
			[]string{"2:23: $.types[2]: the type fault is there already, in line 2; keep one of them"},
		},
		{
			"approval twice",
			"routing:",
			"  - {name: review, seats: [head], need: any, on_timeout: reject}\nrouting:",
			[]string{"16:12: $.approvals[1].name: the approval review is there already, in line 11; give each a name of its own"},
		},
		{
			"chain twice",
			"notices:",
			"  - {name: front, alarm: [li.na], levels: [{people: [head], acknowledge_within: 1h}]}\nnotices:",
			[]string{"25:12: $.chains[1].name: the chain front is there already, in line 20; give each a name of its own"},
		},
		{
			"department twice",
			"people:\n  - id",
			"  - {id: service, name: 二, name_en: Two, head: li.na}\npeople:\n  - id",
			[]string{"30:10: $.departments[1].id: the department service is there already, in line 29; give each a name of its own"},
		},
		{
			"person twice",
			"id: wang.fang",
			"id: li.na",
			[]string{"37:9: $.people[1].id: the person li.na is there already, in line 31; give each a name of its own"},
		},
		{
			"value twice in a condition",
			"    need: all",
			"    need: all\n    when: {tier: [P1, P1]}",
			[]string{"15:23: $.approvals[0].when.tier[1]: the value P1 is there already, in line 15; keep one of them"},
		},
		{
			"seats for fewer people",
			"seats: [role:product, head]",
			"seats: [role:product, role:product, wang.fang]",
			[]string{"13:41: $.approvals[0].seats[2]: nobody is left for the seat wang.fang: whoever could fill it is needed for another, and a person has one vote"},
		},
		{
			"department with nobody to pick",
			"roles: [agent, manager, product]",
			"roles: [manager, product]",
			[]string{"18:11: $.routing[0].pick: the department service has nobody with the role agent; give it one, or write by_hand"},
		},
		{
			"repetition without an interval",
			"    chain: front",
			"    chain: front\n    repeat: {every: 0s, times: 3}",
			[]string{"10:21: $.clocks[0].repeat.every: 0s is no time at all; write at least 1ms"},
		},
		{
			"interval without a repetition",
			"    chain: front",
			"    chain: front\n    repeat: {every: 1h, times: 0}",
			[]string{"10:32: $.clocks[0].repeat.times: it repeats every 1h but not once; write how often, or leave repeat out"},
		},
		{
			"reopening of another clock",
			"    chain: front",
			"    chain: front\n    on_reopen: new_cycle",
			[]string{"10:16: $.clocks[0].on_reopen: only the resolution clock goes on when a resolution is disputed; leave it out here"},
		},
		{
			"notice of a clock for another event",
			"  - event: resolved",
			"  - event: resolved\n    clock: response",
			[]string{"27:12: $.notices[0].clock: resolved is not about a clock; leave the field out"},
		},
		{
			"absence that ends before it begins",
			"    channels: [log]",
			"    channels: [log]\n    away: [{from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z}]",
			[]string{"41:45: $.people[1].away[0].to: an absence ends after it begins; this one begins at 2026-01-02T00:00:00Z"},
		},
		{
			"channel without address",
			"    email: li.na@example.com\n",
			"",
			[]string{"35:16: $.people[0].channels[0]: li.na has no address for it; add the field email"},
		},
		{
			"own substitute",
			"    channels: [log]",
			"    channels: [log]\n    substitute: wang.fang",
			[]string{"41:17: $.people[1].substitute: wang.fang cannot stand in for themselves; name somebody else"},
		},
		{
			"reserved id",
			"id: wang.fang",
			"id: owner",
			[]string{"37:9: $.people[1].id: owner means something else to the process; give the person another id"},
		},
		{
			"unknown kind of upstream system",
			"departments:",
			"upstreams: [{name: shop, kind: jirra}]\ndepartments:",
			[]string{`28:32: $.upstreams[0].kind: unknown value "jirra"; there is jira, zendesk, github, freshdesk, servicenow, standard (did you mean "jira"?)`},
		},
		{
			"upstream system that is there twice",
			"departments:",
			"upstreams: [{name: shop, kind: jira}, {name: shop, kind: github}]\ndepartments:",
			[]string{"28:46: $.upstreams[1].name: the upstream system shop is there already, in line 28; give each a name of its own"},
		},
		{
			"upstream systems with the same variable",
			"departments:",
			"upstreams: [{name: shop-eu, kind: jira}, {name: shop.eu, kind: github}]\ndepartments:",
			[]string{"28:49: $.upstreams[1].name: the secrets of shop.eu and of shop-eu in line 28 would stand in the same variable CLOSELOOP_UPSTREAM_SHOP_EU_SECRETS; give it another name"},
		},
		{
			"upstream system with a name that no path can have",
			"departments:",
			"upstreams: [{name: The Shop, kind: jira}]\ndepartments:",
			[]string{`28:20: $.upstreams[0].name: "The Shop" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter`},
		},
		{
			"upstream field that is none",
			"departments:",
			"upstreams: [{name: shop, kind: jira, fields: {titl: issue.fields.summary}}]\ndepartments:",
			[]string{`28:47: $.upstreams[0].fields.titl: unknown field "titl"; there is attachments, background, channel, contact, customer, description, language, outcome, pain, priority, scenario, tier, title, type, urgency (did you mean "title"?)`},
		},
		{
			"upstream field from two places",
			"departments:",
			"upstreams: [{name: shop, kind: jira, fields: {title: {column: a, constant: b}, pain: {default: c}}}]\ndepartments:",
			[]string{
				"28:54: $.upstreams[0].fields.title: name exactly one of column, template and constant",
				"28:86: $.upstreams[0].fields.pain: name exactly one of column, template and constant",
			},
		},
		{
			"upstream field with a broken template",
			"departments:",
			"upstreams: [{name: shop, kind: jira, fields: {title: {template: 'a {b'}, pain: {column: c, otherwise: d}}}]\ndepartments:",
			[]string{
				"28:65: $.upstreams[0].fields.title.template: a { without a column and its }; write {{ for the character itself",
				"28:103: $.upstreams[0].fields.pain.otherwise: otherwise needs values: it is for what is not among them",
			},
		},
		{
			"upstream field with a value that the policy does not have",
			"departments:",
			"upstreams: [{name: shop, kind: jira, fields: {type: {constant: falt}, priority: {column: p, default: hi}}}]\ndepartments:",
			[]string{
				`28:64: $.upstreams[0].fields.type.constant: unknown type "falt"; there is fault, price (did you mean "fault"?)`,
				`28:102: $.upstreams[0].fields.priority.default: unknown priority "hi"; there is high, medium, low`,
			},
		},
		{
			"upstream event that does what it cannot",
			"departments:",
			"upstreams: [{name: shop, kind: jira, on: {deleted: resolve, made: submit}}]\ndepartments:",
			[]string{
				`28:52: $.upstreams[0].on.deleted: unknown value "resolve"; there is withdraw, ignore`,
				`28:61: $.upstreams[0].on.made: unknown field "made"; there is closed, commented, deleted, reopened, updated`,
			},
		},
		{
			"age of signatures that is none",
			"departments:",
			"upstreams: [{name: shop, kind: jira, max_age: 2wd}, {name: till, kind: jira, max_age: 25h}]\ndepartments:",
			[]string{
				"28:47: $.upstreams[0].max_age: signatures know no working days; write it in hours or minutes",
				"28:87: $.upstreams[1].max_age: 25h is too long; write at most 24h",
			},
		},
		{
			"write-back that anybody can read",
			"departments:",
			"upstreams: [{name: shop, kind: jira, write_back: {url: 'http://example.com/x', events: [sold, resolved, resolved]}}]\ndepartments:",
			[]string{
				`28:56: $.upstreams[0].write_back.url: "http://example.com/x" is not encrypted; write https:// (http:// is for this machine only)`,
				`28:89: $.upstreams[0].write_back.events[0]: unknown value "sold"; there is submitted, triaged, round_opened, vote_asked, approved, declined, delegated, round_decided, rejected, appealed, assigned, routing_failed, accepted, handed_back, responded, planned, progressed, held, resumed, resolved, confirmed, disputed, amended, reprioritised, merged, merge_taken, merge_undone, absorbed, withdrawn, commented, refused, archived, policy_adopted, cancelled, terminated, clock_started, clock_paused, clock_resumed, clock_retargeted, clock_stopped, clock_marked, clock_breached, clock_repeated, clock_lapsed, clock_undated, escalation_started, escalation_raised, escalation_acknowledged, escalation_alarm, escalation_ended`,
				"28:105: $.upstreams[0].write_back.events[2]: the event resolved is there already, in line 28; keep one of them",
			},
		},
		{
			"write-back to nowhere",
			"departments:",
			"upstreams: [{name: shop, kind: jira, write_back: {url: 'https://me:pw@example.com/x'}}, {name: till, kind: jira, write_back: {url: example.com}}]\ndepartments:",
			[]string{
				"28:56: $.upstreams[0].write_back.url: a password has no place in the file; the receiver knows us by the signature",
				`28:132: $.upstreams[1].write_back.url: "example.com" is not a web address like https://example.com/hooks/closeloop`,
			},
		},
		{
			"mistake in an anchor is told where it stands",
			"    alarm: [role:manager]",
			"    alarm: &all [role:bos]\n  - {name: back, alarm: *all, levels: [{people: [head], acknowledge_within: 1h}]}",
			[]string{
				`24:18: $.chains[0].alarm[0]: nobody has the role "bos"; there is agent, manager, product`,
				`24:18: $.chains[1].alarm[0]: nobody has the role "bos"; there is agent, manager, product`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, small, c.old)
			p, err := Parse("p.yaml", []byte(strings.Replace(small, c.old, c.new, 1)))
			require.Nil(t, p)
			var problems Problems
			require.ErrorAs(t, err, &problems)
			var got []string
			for _, problem := range problems {
				got = append(got, strings.TrimPrefix(problem.Error(), "p.yaml:"))
			}
			require.Equal(t, c.want, got)
		})
	}
}
