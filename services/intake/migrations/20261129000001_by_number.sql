-- A number is what customers say and agents type: without this all feedbacks of a tenant are read by time until it is met.
CREATE INDEX IF NOT EXISTS feedback_by_number ON feedback (tenant_id, number);
