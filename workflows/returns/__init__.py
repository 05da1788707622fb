"""One return, from the application to refund, exchange or refusal. Same file names as an order, same roles."""
