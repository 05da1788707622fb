"""Facts on their way in: where each belongs, what a replay would do, how long it is kept, how sources behave."""
