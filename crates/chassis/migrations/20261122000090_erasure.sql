-- Kept answers hold what a customer said, masked: whoever erases the customer empties them. A request whose answer is gone is
-- refused as one whose id was used for another body.
GRANT UPDATE (body_hash, answer) ON chassis.answered_request TO huiyin_app;
