-- How each feedback stands as its customer may see it (003-13, 004-13): what others told of it, and nothing internal. A feedback
-- without a row has arrived, and no more is known.
CREATE TABLE customer_status (
    tenant_id    text        NOT NULL,
    feedback_id  uuid        NOT NULL,
    state        integer     NOT NULL,
    state_time   timestamptz NOT NULL,
    promise_time timestamptz,
    message      text        NOT NULL,
    message_time timestamptz,
    waits_for_us boolean     NOT NULL, -- what is waited for is ours to do, whatever the work order says
    PRIMARY KEY (tenant_id, feedback_id)
);
