"""What every workflow here is built from: guarded calls, tickets, branches, the event queue, the journal."""
