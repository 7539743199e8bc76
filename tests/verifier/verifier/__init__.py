"""A verifier of blockchain_crdt's proofs, bundles and checkpoints that shares no code with it.

Written from the chapter "Proofs and formats" of the guide. `reading` takes layouts apart, `curve`
and `signatures` check Ed25519, `merkle` the log, `records` members, genesis and ops, `blocks`
headers, votes and certificates, `membership` who belongs and who votes; `proof`, `bundle` and
`checkpoint` verify what a node hands out.
"""
