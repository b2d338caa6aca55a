-- What of the feedback counts (001-12). Nothing is dropped: a feedback that is set aside or merged is where it always was.

-- Where a feedback stands, where that is not simply "accepted": only those have a row.
CREATE TABLE feedback_standing (
    tenant_id     text        NOT NULL,
    id            uuid        NOT NULL,
    state         integer     NOT NULL,
    canonical     uuid,
    held          boolean     NOT NULL,
    findings      jsonb,
    missing       integer[],
    state_reason  text        NOT NULL,
    -- Where it stood before it was merged, so that unmerging restores exactly that.
    before_state  integer,
    before_reason text,
    update_time   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((canonical IS NULL) = (before_state IS NULL))
);
CREATE INDEX feedback_standing_quarantined ON feedback_standing (tenant_id, id) WHERE state = 2;
CREATE INDEX feedback_standing_merged ON feedback_standing (tenant_id, canonical) WHERE canonical IS NOT NULL;

-- By what the same thing said again is recognised. Written with the feedback where the tenant sets duplicates aside, else soon
-- after it. Holds a hash of the masked text.
CREATE TABLE feedback_print (
    tenant_id   text    NOT NULL,
    id          uuid    NOT NULL,
    fingerprint bytea   NOT NULL,
    -- True once the feedback was compared with those before it.
    compared    boolean NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX feedback_print_fingerprint ON feedback_print (tenant_id, fingerprint, id);

-- The bands of a text's sketch (MinHash): texts that share one may be near. Ids rise with time, so the newest come first.
CREATE TABLE feedback_band (
    tenant_id   text   NOT NULL,
    band        bigint NOT NULL,
    feedback_id uuid   NOT NULL,
    PRIMARY KEY (tenant_id, band, feedback_id)
);

-- Feedbacks that say nearly the same; `id` is the later one.
CREATE TABLE feedback_link (
    tenant_id  text             NOT NULL,
    id         uuid             NOT NULL,
    other      uuid             NOT NULL,
    relation   integer          NOT NULL,
    similarity double precision NOT NULL,
    PRIMARY KEY (tenant_id, id, other)
);
CREATE INDEX feedback_link_other ON feedback_link (tenant_id, other);
