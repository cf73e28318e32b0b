"""The effect of another text on the enterprises on record; nothing here is recorded."""
