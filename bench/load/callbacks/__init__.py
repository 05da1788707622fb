"""Signed callbacks at a rate of one's own, and both sides' ledgers: what was sent, thanked for, and what came of it.

Senders journal every attempt before it and every acknowledgement after it, each line synced to the disk; the checker
compares ids, not counts, as Jepsen's total-queue checker does.
"""
