"""The web face: pages over the desk, for an officer's browser."""
