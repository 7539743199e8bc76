"""A verifier of blockchain_crdt's bundles, proofs and checkpoints that shares no code with it.

Written from the chapter "Proofs and formats" of the guide alone. `codec` reads and writes fields,
`ed25519` checks signatures, `merkle` has the tree, `lz4frame` unpacks, `jsontext` reads JSON.
`members`, `blocks` and `ops` know the records; `membership` who belongs and votes, `history` one
origin's ops, `log` leaves and tiles. `frames` reads a bundle and `bundle` verifies it; `proof`,
`checkpoint` and `consistency` do so for the other files.
"""
