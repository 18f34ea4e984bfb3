-- +goose Up

-- Links are signed and not kept; this is which of them are good no longer.
CREATE TABLE link (
    requirement_id text COLLATE "C" REFERENCES requirement ON DELETE CASCADE,
    recipient      text COLLATE "C",
    version        integer     CHECK (version > 0),
    revoked_at     timestamptz NOT NULL DEFAULT now(),
    revoked_by     text        NOT NULL,
    PRIMARY KEY (requirement_id, recipient, version)
);
COMMENT ON TABLE link IS 'Links to the pages of customers and approvers that were revoked: those of a version that is here. The next version is good';
COMMENT ON COLUMN link.recipient IS 'customer, or the id of a person who was asked for their vote';
COMMENT ON COLUMN link.version IS 'Of the links that ended; new ones have the next, from 1';
COMMENT ON COLUMN link.revoked_by IS 'The id of who revoked them';
