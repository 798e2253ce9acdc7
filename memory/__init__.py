"""What is remembered: tasks and their index, records, the effect ledger and the event journal."""
