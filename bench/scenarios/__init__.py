"""Runs scenario files (`python -m bench.scenarios FILE`): exact inputs, exact expected outputs, block by block."""
