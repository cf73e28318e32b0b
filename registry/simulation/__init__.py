"""What another text would mean for the enterprises on record; nothing of it is recorded."""
