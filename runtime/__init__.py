"""The commands behind `make`: embedded PostgreSQL, local Airflow, dbt, and the way of the files through them."""
