"""How an order is split, sourced, shipped, changed and explained."""
