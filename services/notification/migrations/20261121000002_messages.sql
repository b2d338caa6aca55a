-- One message to one recipient over one medium. Never an address: that is asked of intake when the message is sent.
CREATE TABLE message (
    tenant_id        text        NOT NULL,
    id               uuid        NOT NULL,
    event_id         text        NOT NULL,
    purpose          smallint    NOT NULL,
    audience         smallint    NOT NULL,
    recipient        text        NOT NULL,
    medium           smallint    NOT NULL, -- 0 until the kind of the customer's address is known
    endpoint_id      uuid,
    state            smallint    NOT NULL,
    attempts         integer     NOT NULL DEFAULT 0, -- since it was last queued
    total_attempts   integer     NOT NULL DEFAULT 0, -- over its whole life
    last_error       text        NOT NULL DEFAULT '',
    work_order       text        NOT NULL,
    feedback         text        NOT NULL,
    episode          integer     NOT NULL,
    invitation       text        NOT NULL, -- of a survey whose token belongs into the text; empty where none
    locale           text        NOT NULL,
    template_version integer     NOT NULL,
    subject          text        NOT NULL,
    body             text        NOT NULL, -- U+FFFC stands where the token of the survey belongs
    create_time      timestamptz NOT NULL,
    settle_time      timestamptz,
    PRIMARY KEY (tenant_id, id)
);
-- What makes an event that comes twice tell once.
CREATE UNIQUE INDEX message_once ON message
    (tenant_id, event_id, audience, recipient, coalesce(endpoint_id, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX message_order ON message (tenant_id, create_time, id);
CREATE INDEX message_work_order ON message (tenant_id, work_order);
CREATE INDEX message_feedback ON message (tenant_id, feedback);

-- Exactly the queued messages, for the worker that delivers those of all tenants. It sees when and whose, never what.
CREATE TABLE due_message (
    tenant_id         text     NOT NULL,
    message_id        uuid     NOT NULL,
    lane              smallint NOT NULL,
    endpoint_id       uuid,
    next_attempt_time timestamptz, -- null: its endpoint is disabled, it waits
    PRIMARY KEY (tenant_id, message_id)
);
CREATE INDEX due_message_next ON due_message (lane, next_attempt_time);
CREATE INDEX due_message_endpoint ON due_message (tenant_id, endpoint_id) WHERE endpoint_id IS NOT NULL;
GRANT SELECT, UPDATE ON due_message TO huiyin_worker;
CREATE POLICY worker ON due_message TO huiyin_worker USING (true) WITH CHECK (true);

-- Every attempt, the last fifty of a message.
CREATE TABLE delivery (
    tenant_id   text        NOT NULL,
    message_id  uuid        NOT NULL,
    ordinal     integer     NOT NULL,
    start_time  timestamptz NOT NULL,
    duration_us bigint      NOT NULL,
    delivered   boolean     NOT NULL,
    status_code integer     NOT NULL,
    error       text        NOT NULL,
    PRIMARY KEY (tenant_id, message_id, ordinal)
);
