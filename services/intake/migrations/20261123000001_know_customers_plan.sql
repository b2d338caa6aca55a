-- Its statements are planned once for each connection: planning them anew for each batch took longer than running them.
ALTER FUNCTION know_customers(text, uuid[], boolean[], bytea[], integer) SET plan_cache_mode = 'force_generic_plan';
