-- Who calls about an order has its number; most feedback names none, and pays nothing here.
CREATE INDEX IF NOT EXISTS feedback_by_order ON feedback (tenant_id, order_number) WHERE order_number <> '';
-- How many feedbacks an order has is asked for now: see `20261128000001_feedback_statistics`.
ALTER TABLE feedback ALTER COLUMN order_number SET STATISTICS -1;
