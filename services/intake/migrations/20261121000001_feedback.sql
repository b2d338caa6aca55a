-- What was taken in. Nothing of a feedback changes afterwards (003-70).

CREATE TABLE feedback (
    tenant_id          text        NOT NULL,
    id                 uuid        NOT NULL,
    number             text        NOT NULL,
    channel            integer     NOT NULL,
    -- The customer's words as they came (001-11); where something in them had to be masked (001-81), the masked form is
    -- beside them, and that alone leaves this table.
    title              text        NOT NULL,
    title_masked       text,
    description        text        NOT NULL,
    description_masked text,
    expectation        text        NOT NULL,
    expectation_masked text,
    product_model      text        NOT NULL,
    product_batch      text        NOT NULL,
    purchase_channel   text        NOT NULL,
    purchase_time      timestamptz,
    order_number       text        NOT NULL,
    device             text        NOT NULL,
    software_version   text        NOT NULL,
    frequency          integer     NOT NULL,
    impact             integer     NOT NULL,
    demand             integer     NOT NULL,
    urgency            integer     NOT NULL,
    emotion_level      integer     NOT NULL,
    tier               integer     NOT NULL,
    -- A pseudonym; the reference or address that it was made of is not kept (000-21, 001-14).
    customer_id        uuid,
    contact_kind       integer,
    contact_sealed     bytea,
    external_id        text        NOT NULL,
    source             text        NOT NULL,
    language           text        NOT NULL,
    attachments        jsonb,
    occur_time         timestamptz NOT NULL,
    create_time        timestamptz NOT NULL,
    author             text        NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((contact_kind IS NULL) = (contact_sealed IS NULL))
);

-- Every index is paid by every feedback that comes in: these, and no other without a reason.
CREATE INDEX feedback_by_time ON feedback (tenant_id, create_time, id);
CREATE INDEX feedback_by_customer ON feedback (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX feedback_external_id ON feedback (tenant_id, source, external_id) WHERE external_id <> '';

-- The last display number given on each day of a tenant (001-13): only ever raised, so that no number is given twice (C-21).
CREATE TABLE number_counter (
    tenant_id text    NOT NULL,
    day       integer NOT NULL, -- YYYYMMDD in the tenant's time zone
    last      bigint  NOT NULL,
    PRIMARY KEY (tenant_id, day)
);

-- How far each import has come, moved in the transaction that stores its items.
CREATE TABLE feedback_import (
    tenant_id       text        NOT NULL,
    import_id       text        NOT NULL,
    settled_through bigint      NOT NULL,
    accepted        bigint      NOT NULL,
    refused         bigint      NOT NULL,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, import_id)
);
