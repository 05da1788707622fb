"""Activities about money that moved without us, or that the channels tell of by themselves."""
