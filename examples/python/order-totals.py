# Counts a thousand orders, and adds up what they come to, in Python. In the bucket of jars it is a run, as a jar is.
from pyflink.table import EnvironmentSettings, TableEnvironment

tables = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
tables.execute_sql("""
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
    )""")
tables.execute_sql("""
    CREATE TEMPORARY TABLE totals (customer INT, orders BIGINT, amount BIGINT) WITH ('connector' = 'print')""")

orders = tables.from_path("orders")
totals = orders.group_by(orders.customer).select(orders.customer, orders.id.count, orders.amount.sum)
totals.execute_insert("totals").wait()
