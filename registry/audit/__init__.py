"""Lets an outsider check the record: a Merkle tree over it, and signed checkpoints of the tree.

``merkle``, ``ed25519`` and ``notes`` stand on the standard library alone, so that an auditor can
run them as they are; ``keys`` holds the signing side.
"""
