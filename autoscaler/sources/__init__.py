"""Where history comes from: CSV, Parquet, Prometheus. The shell around `autoscaler.history`.

A source returns samples as they are and complains in one line that names file, line and field, or
the query. It must not repair, resample or judge what it reads.
"""
