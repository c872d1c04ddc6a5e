"""What is measured: quality, drift, performance, and the decision. No network, no clock, no environment."""
