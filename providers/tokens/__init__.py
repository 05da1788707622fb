"""Signed tokens that say who decides: made by the local issuer, or by an identity provider with a published key set."""
