-- +goose Up

-- What upstream systems send, kept before anything is done about it.
CREATE TABLE delivery (
    upstream    text COLLATE "C",
    delivery_id text COLLATE "C",
    signed      bytea       NOT NULL,
    received_at timestamptz NOT NULL,
    event       text        NOT NULL,
    refs        text[]      NOT NULL DEFAULT '{}',
    body        bytea       NOT NULL CHECK (octet_length(body) <= 5242880),
    state       text        NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'done', 'ignored', 'refused', 'failed')),
    outcome     text        NOT NULL DEFAULT '',
    reason      text        NOT NULL DEFAULT '',
    attempts    integer     NOT NULL DEFAULT 1,
    settled_at  timestamptz,
    PRIMARY KEY (upstream, delivery_id),
    UNIQUE (upstream, signed)
);
COMMENT ON TABLE delivery IS 'Webhooks of upstream systems whose signature was good, each once, with what came of it';
COMMENT ON COLUMN delivery.upstream IS 'Name of the system in the policy';
COMMENT ON COLUMN delivery.delivery_id IS 'What the system calls the delivery, or a digest of it';
COMMENT ON COLUMN delivery.signed IS 'Digest of what was signed: the same again is the same delivery under whatever id';
COMMENT ON COLUMN delivery.refs IS 'References SYSTEM:ID of the tickets that it tells of';
COMMENT ON COLUMN delivery.state IS 'received: nothing came of it yet, or its ticket is not known; done; ignored: it means nothing here; refused: by the process; failed: no requirement could be made of it';
COMMENT ON COLUMN delivery.outcome IS 'What was done, in words: submitted, commented, resolved';
CREATE INDEX delivery_newest ON delivery (received_at DESC, upstream, delivery_id);
CREATE INDEX delivery_waiting ON delivery USING gin (refs) WHERE state = 'received';

CREATE TABLE upstream_ticket (
    ref            text COLLATE "C" PRIMARY KEY,
    requirement_id text        NOT NULL DEFAULT '',
    state          text        NOT NULL DEFAULT '' CHECK (state IN ('', 'open', 'closed', 'deleted')),
    state_at       timestamptz,
    title          text        NOT NULL DEFAULT '',
    description    text        NOT NULL DEFAULT '',
    asked_at       timestamptz,
    customer       text        NOT NULL DEFAULT ''
);
COMMENT ON TABLE upstream_ticket IS 'What was applied of each ticket of an upstream system, so that it does not matter in which order deliveries come';
COMMENT ON COLUMN upstream_ticket.requirement_id IS 'Its requirement; no foreign key, because the ledger hears of that later';
COMMENT ON COLUMN upstream_ticket.state_at IS 'When the system says the state was so';
COMMENT ON COLUMN upstream_ticket.title IS 'Digest of the title that was applied last';
COMMENT ON COLUMN upstream_ticket.description IS 'Digest of the description that was applied last';
COMMENT ON COLUMN upstream_ticket.asked_at IS 'When the system says the wording was so';
COMMENT ON COLUMN upstream_ticket.customer IS 'The id over there of who asked for it';
