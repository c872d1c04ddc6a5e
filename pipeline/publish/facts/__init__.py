"""What is said, once: pages, messages, gauges and reports word the same facts."""
