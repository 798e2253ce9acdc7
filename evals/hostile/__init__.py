"""Scripted attacks of AgentDojo against the real graph: its worlds, its tasks as plans, and a stage to play them on."""
