"""Who is told: pages, mails, gauges and MLflow. Values in, bytes or deliveries out; never rows of data."""
