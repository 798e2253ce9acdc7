"""What is told of runs to those who operate the service: traces, metrics, logs; all read off the one event stream."""
