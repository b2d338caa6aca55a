-- Of all that a mail says, subject and files too: what is the same is said again, what is not may be a person's. None of older rows.
ALTER TABLE mail ADD COLUMN content bytea;
-- Kinds: 6 is a mail that says none of the source's keywords. A loop (5) that came from no machine of ours has a feedback too.
CREATE INDEX mail_by_feedback ON mail (tenant_id, feedback_id) WHERE feedback_id IS NOT NULL;
CREATE INDEX mail_by_thread ON mail (tenant_id, thread_of) WHERE thread_of IS NOT NULL;
CREATE INDEX mail_by_time ON mail (tenant_id, receive_time);
