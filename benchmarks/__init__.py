"""The ETL and the ingest function against what their users would otherwise reach for, in one run.

python -m benchmarks [--quick] [--million] [--latency-only …]
"""
