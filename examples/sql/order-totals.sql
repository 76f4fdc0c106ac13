-- Counts a thousand orders, and adds up what they come to. A script in the bucket of jars is a run, as a jar is.
SET 'execution.runtime-mode' = 'batch';

CREATE TEMPORARY TABLE orders (id BIGINT, customer INT, amount INT) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '1000',
  'fields.id.kind' = 'sequence',
  'fields.id.start' = '1',
  'fields.id.end' = '1000',
  'fields.customer.min' = '1',
  'fields.customer.max' = '5',
  'fields.amount.min' = '1',
  'fields.amount.max' = '100'
);

CREATE TEMPORARY TABLE totals (customer INT, orders BIGINT, amount BIGINT) WITH ('connector' = 'print');

INSERT INTO totals
SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer;
