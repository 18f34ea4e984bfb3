-- +goose Up

-- The rules that requirements live by, as they were when somebody started
-- under them. Rows are never changed.
CREATE TABLE process (
    digest  text COLLATE "C" PRIMARY KEY,
    rules   jsonb       NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE process IS 'Rules that requirements live by, by the digest of their canonical form';
COMMENT ON COLUMN process.rules IS 'policy.Process as JSON';
COMMENT ON COLUMN process.kept_at IS 'When the rules were first seen';

CREATE TABLE requirement (
    id                  text COLLATE "C" PRIMARY KEY,
    title               text        NOT NULL,
    customer            text        NOT NULL,
    contact             text        NOT NULL,
    tier                text        NOT NULL,
    channel             text        NOT NULL,
    type                text        NOT NULL,
    priority            text        NOT NULL,
    urgency             text        NOT NULL,
    ref                 text COLLATE "C",
    stage               text        NOT NULL,
    status              text        NOT NULL,
    on_hold             boolean     NOT NULL,
    department          text        NOT NULL,
    owner               text        NOT NULL,
    tracker             text        NOT NULL,
    submitted_by        text        NOT NULL,
    version             integer     NOT NULL,
    cycle               integer     NOT NULL,
    reopened            integer     NOT NULL,
    first_time_resolved boolean,
    rating              smallint,
    breached            boolean     NOT NULL,
    next_deadline       timestamptz,
    waiting_for         text[]      NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    closed_at           timestamptz,
    policy              text COLLATE "C" NOT NULL,
    seq                 integer     NOT NULL,
    state               jsonb       NOT NULL
);
COMMENT ON TABLE requirement IS 'One row a requirement, as it stands: the tracking ledger (K1). A projection of the requirement''s workflow, which alone writes it';
COMMENT ON COLUMN requirement.ref IS 'External reference SYSTEM:ID; null when there is none (I5)';
COMMENT ON COLUMN requirement.stage IS 'Where it stands in the process';
COMMENT ON COLUMN requirement.status IS 'pending, in_progress, done or rejected: what the stage means to people (T4)';
COMMENT ON COLUMN requirement.tracker IS 'Who follows it to closure (T2)';
COMMENT ON COLUMN requirement.version IS 'Wordings so far, from 1 (A7)';
COMMENT ON COLUMN requirement.cycle IS 'Attempts to resolve it, from 1';
COMMENT ON COLUMN requirement.first_time_resolved IS 'Null until the customer has judged a resolution (C1)';
COMMENT ON COLUMN requirement.rating IS 'The customer''s satisfaction, 1 to 5 (C3)';
COMMENT ON COLUMN requirement.breached IS 'A clock that still runs has breached';
COMMENT ON COLUMN requirement.next_deadline IS 'Earliest deadline of the clocks that tick; null when none does';
COMMENT ON COLUMN requirement.waiting_for IS 'Who must act: ids of people, roles, or customer';
COMMENT ON COLUMN requirement.closed_at IS 'When the process ended for good; null while it may go on';
COMMENT ON COLUMN requirement.policy IS 'Digest of the rules it lives by; see process';
COMMENT ON COLUMN requirement.seq IS 'Number of the latest event; a row never goes back to a smaller one';
COMMENT ON COLUMN requirement.state IS 'requirement.State as JSON: everything the requirement knows';

CREATE UNIQUE INDEX requirement_ref_key ON requirement (ref) WHERE ref IS NOT NULL;
-- Lists are read in the order of the deadlines, the ones without at the end.
CREATE INDEX requirement_due ON requirement (coalesce(next_deadline, 'infinity'::timestamptz), id);
CREATE INDEX requirement_owner ON requirement (owner, coalesce(next_deadline, 'infinity'::timestamptz), id);
CREATE INDEX requirement_department ON requirement (department, coalesce(next_deadline, 'infinity'::timestamptz), id);
CREATE INDEX requirement_stage ON requirement (stage, coalesce(next_deadline, 'infinity'::timestamptz), id);
CREATE INDEX requirement_customer ON requirement (customer, coalesce(next_deadline, 'infinity'::timestamptz), id);
CREATE INDEX requirement_breached ON requirement (coalesce(next_deadline, 'infinity'::timestamptz), id) WHERE breached;
CREATE INDEX requirement_load ON requirement (owner) WHERE closed_at IS NULL;
CREATE INDEX requirement_open ON requirement (id) WHERE closed_at IS NULL;

-- Apart from requirement, because that row changes with every transition and
-- the words do not: each change would index all of them anew.
CREATE TABLE requirement_text (
    requirement_id text COLLATE "C" PRIMARY KEY REFERENCES requirement ON DELETE CASCADE,
    version        integer NOT NULL,
    tokens         text[]  NOT NULL
);
COMMENT ON TABLE requirement_text IS 'Words of a requirement''s present wording, for search in Chinese and English';
COMMENT ON COLUMN requirement_text.tokens IS 'Pairs of Chinese characters and other words, NFKC and lower case';
CREATE INDEX requirement_text_tokens ON requirement_text USING gin (tokens);

CREATE TABLE requirement_version (
    requirement_id text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    version        integer     NOT NULL,
    title          text        NOT NULL,
    description    text        NOT NULL,
    at             timestamptz NOT NULL,
    actor          text        NOT NULL,
    PRIMARY KEY (requirement_id, version)
);
COMMENT ON TABLE requirement_version IS 'Every wording a requirement ever had (A7)';

CREATE TABLE event (
    requirement_id text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    seq            integer     NOT NULL,
    at             timestamptz NOT NULL,
    kind           text        NOT NULL,
    actor          text        NOT NULL,
    clock          text,
    data           jsonb,
    audience       text[],
    PRIMARY KEY (requirement_id, seq)
);
COMMENT ON TABLE event IS 'Facts in the lives of requirements; never changed (K1)';
COMMENT ON COLUMN event.seq IS 'Numbers the events of one requirement densely from 1';
COMMENT ON COLUMN event.clock IS 'The clock an event about a clock or an escalation is about';
COMMENT ON COLUMN event.data IS 'Particulars; their shape depends on the kind';
COMMENT ON COLUMN event.audience IS 'Whom the world must tell of it, as seats of the policy';
-- Whose turn it is to be given a requirement.
CREATE INDEX event_assigned ON event ((data ->> 'to'), at) WHERE kind = 'assigned';

CREATE TABLE clock (
    requirement_id    text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    name              text             NOT NULL,
    cycle             integer          NOT NULL,
    state             text             NOT NULL,
    target            text             NOT NULL,
    target_seconds    double precision NOT NULL,
    calendar          text             NOT NULL,
    started_at        timestamptz      NOT NULL,
    deadline          timestamptz,
    stopped_at        timestamptz,
    breached_at       timestamptz,
    detected_at       timestamptz,
    elapsed_seconds   double precision,
    pauses            jsonb            NOT NULL,
    marks             jsonb            NOT NULL,
    breach_owner      text,
    breach_department text,
    PRIMARY KEY (requirement_id, name, cycle)
);
COMMENT ON TABLE clock IS 'Promises with a deadline and what became of them (L1)';
COMMENT ON COLUMN clock.cycle IS 'Counts the clocks of one name in a requirement, from 1';
COMMENT ON COLUMN clock.state IS 'running, paused, met, breached or stopped; breached stays so';
COMMENT ON COLUMN clock.target IS 'The target as the policy writes it, such as 2h or 3wd';
COMMENT ON COLUMN clock.target_seconds IS 'The target in seconds of working time';
COMMENT ON COLUMN clock.deadline IS 'Null while a pause holds the clock before it';
COMMENT ON COLUMN clock.breached_at IS 'The deadline that passed';
COMMENT ON COLUMN clock.detected_at IS 'When the breach was noticed';
COMMENT ON COLUMN clock.elapsed_seconds IS 'Working time from start to stop; null while the clock is not stopped';
COMMENT ON COLUMN clock.pauses IS 'List of from, to, reason, by';
COMMENT ON COLUMN clock.marks IS 'List of the marks that were reached: mark, at, detected_at, superseded';
COMMENT ON COLUMN clock.breach_owner IS 'Who held the requirement when the clock ran out; empty when nobody did (L7)';
COMMENT ON COLUMN clock.breach_department IS 'The department that held it then; empty when none did (L7)';
CREATE INDEX clock_breached ON clock (breached_at) WHERE breached_at IS NOT NULL;
CREATE INDEX clock_started ON clock (started_at);

CREATE TABLE approval_round (
    requirement_id text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    round          integer NOT NULL,
    state          text    NOT NULL,
    need           integer NOT NULL,
    rule           text    NOT NULL,
    opened_at      timestamptz NOT NULL,
    decided_at     timestamptz,
    decided_by     text    NOT NULL,
    PRIMARY KEY (requirement_id, round)
);
COMMENT ON TABLE approval_round IS 'Rounds of approval whose people were asked (R1, R2)';
COMMENT ON COLUMN approval_round.state IS 'open, approved, rejected or withdrawn';
COMMENT ON COLUMN approval_round.need IS 'How many approvals decide';
COMMENT ON COLUMN approval_round.rule IS 'Name of the policy''s approval rule';

CREATE TABLE approval_vote (
    requirement_id text COLLATE "C",
    round          integer NOT NULL,
    position       integer NOT NULL,
    seat           text    NOT NULL,
    person         text    NOT NULL,
    passed_on_by   text[]  NOT NULL,
    vote           text    NOT NULL,
    at             timestamptz,
    comment        text    NOT NULL,
    PRIMARY KEY (requirement_id, round, position),
    FOREIGN KEY (requirement_id, round) REFERENCES approval_round ON DELETE CASCADE
);
COMMENT ON TABLE approval_vote IS 'Seats of the rounds of approval and their votes';
COMMENT ON COLUMN approval_vote.position IS 'Order of the seats in the round, from 1';
COMMENT ON COLUMN approval_vote.passed_on_by IS 'People who delegated the vote, first to last';
COMMENT ON COLUMN approval_vote.vote IS 'queued, pending, approve, decline or withdrawn';
CREATE INDEX approval_vote_waiting ON approval_vote (person) WHERE vote = 'pending';

CREATE TABLE escalation (
    requirement_id  text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    id              text COLLATE "C",
    clock           text        NOT NULL,
    cycle           integer     NOT NULL,
    chain           text        NOT NULL,
    state           text        NOT NULL,
    level           integer     NOT NULL,
    round           integer     NOT NULL,
    called          text[]      NOT NULL,
    acknowledged_by text        NOT NULL,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    PRIMARY KEY (requirement_id, id)
);
COMMENT ON TABLE escalation IS 'Chains that breaches started (L5)';
COMMENT ON COLUMN escalation.level IS 'The rung that was called last, from 1; 0 before the first call';
COMMENT ON COLUMN escalation.round IS 'How often the chain was begun';
CREATE INDEX escalation_open ON escalation (started_at) WHERE state NOT IN ('ended', 'alarmed');

CREATE TABLE notice (
    requirement_id text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    seq            integer     NOT NULL,
    recipient      text        NOT NULL,
    channel        text        NOT NULL,
    number         bigint      GENERATED ALWAYS AS IDENTITY,
    event          text        NOT NULL,
    address        text        NOT NULL,
    language       text        NOT NULL,
    escalation     text        NOT NULL,
    rest           jsonb       NOT NULL,
    state          text        NOT NULL,
    attempts       integer     NOT NULL,
    error          text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    claimed_at     timestamptz,
    settled_at     timestamptz,
    PRIMARY KEY (requirement_id, seq, recipient, channel)
);
COMMENT ON TABLE notice IS 'Messages to people, each sent at most once';
COMMENT ON COLUMN notice.seq IS 'The event that is told';
COMMENT ON COLUMN notice.number IS 'Order in which notices were written; gaps mean nothing';
COMMENT ON COLUMN notice.escalation IS 'The escalation it belongs to; empty when none';
COMMENT ON COLUMN notice.rest IS 'Channels to try after this one';
COMMENT ON COLUMN notice.state IS 'pending, sending, sent, failed, uncertain, parked or cancelled';
COMMENT ON COLUMN notice.claimed_at IS 'When it was last handed to the channel';
COMMENT ON COLUMN notice.settled_at IS 'When it got its final state';
CREATE UNIQUE INDEX notice_number ON notice (number);
CREATE INDEX notice_unsettled ON notice (number) WHERE state IN ('pending', 'sending', 'uncertain', 'parked');

CREATE TABLE knowledge (
    requirement_id text COLLATE "C" PRIMARY KEY REFERENCES requirement ON DELETE CASCADE,
    title          text        NOT NULL,
    problem        text        NOT NULL,
    root_cause     text        NOT NULL,
    solution       text        NOT NULL,
    lesson         text        NOT NULL DEFAULT '',
    type           text        NOT NULL,
    tier           text        NOT NULL,
    customer       text        NOT NULL,
    owner          text        NOT NULL,
    department     text        NOT NULL,
    rating         smallint,
    archived_at    timestamptz NOT NULL,
    tokens         text[]      NOT NULL
);
COMMENT ON TABLE knowledge IS 'The knowledge base: what was solved, why it happened and how (C4)';
COMMENT ON COLUMN knowledge.lesson IS 'What was learned';
COMMENT ON COLUMN knowledge.tokens IS 'Pairs of Chinese characters and other words, NFKC and lower case';
CREATE INDEX knowledge_tokens ON knowledge USING gin (tokens);
