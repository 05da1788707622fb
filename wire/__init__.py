"""Between our processes and Temporal: encryption, seals, failures, trace headers, and the converter of all clients."""
