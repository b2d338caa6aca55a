-- What was closed before a moment, in the order in which it was: the time that words are kept for begins there.
CREATE INDEX customer_status_closed ON customer_status (tenant_id, state_time, feedback_id) WHERE state = 5;
