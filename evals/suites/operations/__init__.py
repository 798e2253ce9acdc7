"""Operations: a simulated call-handling service whose parameters trade cost, waiting and quality."""
