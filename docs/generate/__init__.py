"""The pages of this folder that are made of what the code says: ``python -m docs.generate``."""
