-- Whoever erases a customer, or hands out what is held on one, looks by feedback or customer: without an index for each of the two
-- neither is used, and all work orders are read.
CREATE INDEX IF NOT EXISTS work_order_customer ON work_order (tenant_id, customer) WHERE customer <> '';
