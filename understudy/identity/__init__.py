"""Who asks: API keys, OpenID Connect, roles and memberships, and how much each may ask."""
