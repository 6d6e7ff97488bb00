"""One digest a run to those who have to act: what is new, has come back or has grown old, by e-mail and webhook.

What is told comes from `quality`; whom it is told comes from the Airflow connections of `reporting.alerts.routes`.
"""
