"""One class an outside system, holding its clients: input model, one provider or the store, output model."""
