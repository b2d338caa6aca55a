-- Every mail that was answered for, also those that became no feedback: an automatic answer, a delivery report, a loop. Nothing
-- of its words and nobody's address: Message-IDs, senders and texts are keyed hashes.
CREATE TABLE mail (
    tenant_id    text        NOT NULL,
    source_id    text        NOT NULL,
    -- Of the Message-ID and what the mail says: the same mail delivered again is the same row.
    delivery     bytea       NOT NULL,
    message      bytea       NOT NULL,
    sender       bytea       NOT NULL,
    words        bytea       NOT NULL,
    -- 1 feedback, 2 follow-up, 3 automatic answer, 4 delivery report, 5 loop.
    kind         smallint    NOT NULL,
    -- What it became, and the first of its thread.
    feedback_id  uuid,
    thread_of    uuid,
    receive_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source_id, delivery)
);
CREATE INDEX mail_by_message ON mail (tenant_id, message) WHERE feedback_id IS NOT NULL;
CREATE INDEX mail_by_sender ON mail (tenant_id, sender, receive_time);

-- Which feedback goes on with which. A table of its own: few have a thread, and every feedback would pay for a column.
CREATE TABLE feedback_thread (
    tenant_id   text NOT NULL,
    feedback_id uuid NOT NULL,
    thread_of   uuid NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id)
);
CREATE INDEX feedback_thread_by_first ON feedback_thread (tenant_id, thread_of);
