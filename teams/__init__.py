"""The team files that ship with Understudy, one TOML file each; `agents.team_files` reads them."""
