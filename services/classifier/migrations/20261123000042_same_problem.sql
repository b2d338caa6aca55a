-- How many customers have the same problem: answered from the index alone.
CREATE INDEX classification_of_problem ON classification (tenant_id, product_model, category, create_time) INCLUDE (customer)
    WHERE product_model <> '';
DROP INDEX classification_same_problem;
