-- One row per feedback; its key is the feedback's id, so that a feedback that is told twice is classified once.
CREATE TABLE classification (
    tenant_id        text             NOT NULL,
    classification_id uuid            NOT NULL,
    -- What intake told of the feedback; frozen.
    feedback_name    text             NOT NULL,
    feedback_number  text             NOT NULL,
    channel          integer          NOT NULL,
    customer         text             NOT NULL,
    tier             integer          NOT NULL, -- as it was said; 0 where it was not
    product_model    text             NOT NULL,
    batch            text             NOT NULL,
    occur_time       timestamptz,
    receive_time     timestamptz,
    language         text             NOT NULL,
    reachable        boolean          NOT NULL,
    stated_urgency   integer          NOT NULL,
    -- What holds.
    revision         integer          NOT NULL,
    taxonomy_version integer          NOT NULL,
    category         text             NOT NULL,
    labels           jsonb            NOT NULL,
    sentiment        integer          NOT NULL,
    sentiment_score  double precision NOT NULL,
    impact           integer          NOT NULL,
    priority_key     text             NOT NULL,
    priority_rank    integer          NOT NULL,
    basis            text             NOT NULL,
    skills           text[]           NOT NULL,
    department       text             NOT NULL,
    excerpt          text             NOT NULL,
    -- What the taxonomy said.
    computed         jsonb            NOT NULL,
    create_time      timestamptz      NOT NULL,
    update_time      timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, classification_id)
);
CREATE INDEX classification_by_creation ON classification (tenant_id, create_time, classification_id);
CREATE INDEX classification_by_update ON classification (tenant_id, update_time, classification_id);
CREATE INDEX classification_by_score ON classification (tenant_id, ((sentiment_score * 1000000)::bigint), classification_id);
CREATE INDEX classification_by_category ON classification (tenant_id, category text_pattern_ops);

-- What people changed; only ever added to.
CREATE TABLE correction (
    tenant_id         text        NOT NULL,
    classification_id uuid        NOT NULL,
    revision          integer     NOT NULL,
    author            text        NOT NULL,
    reason            text        NOT NULL,
    category          text,
    priority          text,
    sentiment         integer,
    impact            integer,
    create_time       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, classification_id, revision),
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id)
);
