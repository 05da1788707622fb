"""Callbacks of any WMS, TMS or ERP that signs JSON by Standard Webhooks, described by a mapping file instead of code.

docs/contract/generic-source.md explains the file; examples/generic-source.yaml is one.
"""
