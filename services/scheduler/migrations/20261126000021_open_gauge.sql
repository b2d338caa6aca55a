-- For the gauge of open work orders, which is of all tenants: how each stands; neither whose it is nor what about.
GRANT SELECT (state, breached, next_due_time) ON work_order TO huiyin_worker;
CREATE POLICY worker ON work_order FOR SELECT TO huiyin_worker USING (state <= 4);
