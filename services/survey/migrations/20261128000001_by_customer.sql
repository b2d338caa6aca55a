-- Whoever erases a customer, or hands out what is held on one, looks by feedback or customer: without an index for each of the two
-- neither is used, and all invitations are read.
CREATE INDEX IF NOT EXISTS invitation_customer ON invitation (tenant_id, customer) WHERE customer <> '';
