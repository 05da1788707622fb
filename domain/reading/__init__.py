"""What comes in from people and their programs, before anything is believed of it."""
