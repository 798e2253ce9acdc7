"""Home: a simulated household behind an MCP server."""
