//! blockchain_crdt: the PostgreSQL surface.
pgrx::pg_module_magic!(name, version);
