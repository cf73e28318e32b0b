"""Two texts of law side by side: what changed, matched on what is compiled."""
