"""The only room that keeps things: run store, S3, MLflow, leases, the archive of training sets."""
