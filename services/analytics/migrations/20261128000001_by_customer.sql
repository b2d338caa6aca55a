-- Whoever erases a customer, or hands out what is held on one, looks by feedback or customer: without an index for each of the two
-- neither is used, and all facts are read.
CREATE INDEX IF NOT EXISTS feedback_fact_customer ON feedback_fact (tenant_id, customer);
