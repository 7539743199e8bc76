//! The node's identity: three Ed25519 keys and an incarnation, in a file that
//! only the server can read, beside the data and never in a table or a dump.
//!
//! A dump restored elsewhere finds no such file and so becomes another node; a
//! data directory that was copied or promoted is noticed by what the file is
//! bound to, and the copy gets keys of its own.

use crdt::ReplicaId;
use ed25519_dalek::SigningKey;
use ledger::NodeId;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Bytes of the file: version, incarnation, three seeds, binding.
const LENGTH: usize = 1 + 16 + 3 * 32 + BINDING;
const BINDING: usize = 8 + 8 + 4;
const VERSION: u8 = 1;

/// Keys and incarnation of the node in this database.
#[derive(Clone)]
pub struct Identity {
    /// Random, new for each new identity.
    pub incarnation: [u8; 16],
    /// Signs segments and votes.
    pub signing: SigningKey,
    /// Seed of the TLS key.
    pub tls_seed: [u8; 32],
    /// Signs checkpoints of the log.
    pub checkpoint: SigningKey,
}

impl Identity {
    /// Name of the node in the ledger.
    pub fn node_id(&self) -> NodeId {
        NodeId::derive(&self.signing.verifying_key().to_bytes(), &self.incarnation)
    }

    /// Name of the node in CRDT states.
    pub fn replica(&self) -> ReplicaId {
        ReplicaId::derive(&self.signing.verifying_key().to_bytes(), &self.incarnation)
    }

    fn generate() -> io::Result<Identity> {
        let mut random = [0u8; 16 + 3 * 32];
        fill_random(&mut random)?;
        Ok(Self::from_parts(&random))
    }

    /// From the incarnation followed by the three seeds.
    fn from_parts(parts: &[u8; 16 + 3 * 32]) -> Identity {
        let seed = |at: usize| {
            let mut seed = [0u8; 32];
            seed.copy_from_slice(&parts[16 + at * 32..][..32]);
            seed
        };
        let mut incarnation = [0u8; 16];
        incarnation.copy_from_slice(&parts[..16]);
        Identity {
            incarnation,
            signing: SigningKey::from_bytes(&seed(0)),
            tls_seed: seed(1),
            checkpoint: SigningKey::from_bytes(&seed(2)),
        }
    }
}

/// Bytes from the server's strong random source.
pub fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    // SAFETY: the pointer and length are those of `bytes`.
    let filled = unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), bytes.len()) };
    if filled {
        Ok(())
    } else {
        Err(io::Error::other("no randomness from the system"))
    }
}

/// Where the instance keeps keys and the clock's bound: inside the data
/// directory, mode 0700.
pub fn directory() -> PathBuf {
    // SAFETY: DataDir is set before any library code runs and never changes.
    let data = unsafe { CStr::from_ptr(pg_sys::DataDir) };
    PathBuf::from(data.to_string_lossy().into_owned()).join("blockchain_crdt")
}

fn path(suffix: &str) -> PathBuf {
    // SAFETY: set when the backend connects.
    let database = unsafe { pg_sys::MyDatabaseId };
    directory().join(format!("{}.key{suffix}", database.to_u32()))
}

/// What a key file is bound to: the cluster, the inode of its data directory
/// and the timeline it was made on.
fn binding() -> io::Result<[u8; BINDING]> {
    let mut bytes = [0u8; BINDING];
    // SAFETY: reads of the control file's cached contents in shared memory.
    let (system, timeline) = unsafe {
        (
            pg_sys::GetSystemIdentifier(),
            pg_sys::GetWALInsertionTimeLine(),
        )
    };
    let data = std::fs::metadata(directory())?;
    bytes[..8].copy_from_slice(&system.to_be_bytes());
    bytes[8..16].copy_from_slice(&data.ino().to_be_bytes());
    bytes[16..].copy_from_slice(&timeline.to_be_bytes());
    Ok(bytes)
}

fn store(identity: &Identity, suffix: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory())?;
    std::fs::set_permissions(directory(), Permissions::from_mode(0o700))?;
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.push(VERSION);
    bytes.extend(identity.incarnation);
    bytes.extend(identity.signing.to_bytes());
    bytes.extend(identity.tls_seed);
    bytes.extend(identity.checkpoint.to_bytes());
    bytes.extend(binding()?);
    let draft = path(".draft");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(draft, path(suffix))?;
    std::fs::File::open(directory())?.sync_all()
}

/// `None`: there is no file, or it belongs to the original of this copy.
fn read() -> io::Result<Option<Identity>> {
    let bytes = match std::fs::read(path("")) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(parts) = bytes
        .get(1..)
        .and_then(|b| b.first_chunk::<{ 16 + 3 * 32 }>())
    else {
        return Err(io::Error::other("the key file is cut short"));
    };
    if bytes.len() != LENGTH || bytes[0] != VERSION {
        return Err(io::Error::other("the key file has an unknown format"));
    }
    if bytes[LENGTH - BINDING..] != binding()? {
        let aside = path(&format!(".{}", super::clock::now_ms()));
        std::fs::rename(path(""), &aside)?;
        pgrx::warning!(
            "blockchain_crdt: this data directory was copied, moved or promoted, so this node gets keys of its own; the old ones are in {}",
            aside.display()
        );
        return Ok(None);
    }
    Ok(Some(Identity::from_parts(parts)))
}

thread_local! {
    static CACHED: RefCell<Option<Identity>> = const { RefCell::new(None) };
}

/// The identity of this database's node, made at first use.
pub fn identity() -> Identity {
    let slot = super::slot::mine();
    let shared = slot
        .replica
        .each_ref()
        .map(|half| half.load(Ordering::Acquire));
    let cached = CACHED.with_borrow(Clone::clone);
    if let Some(identity) = cached
        && halves(identity.replica()) == shared
    {
        return identity;
    }
    let identity = read()
        .and_then(|found| match found {
            Some(identity) => Ok(identity),
            None => make(),
        })
        .unwrap_or_else(|error| fail(&error));
    adopt(identity.clone());
    identity
}

/// Makes the identity. Of several processes that miss it at once, as after a
/// copied server's start, one makes it and the others read it.
fn make() -> io::Result<Identity> {
    std::fs::create_dir_all(directory())?;
    let folder = std::fs::File::open(directory())?;
    // Until the folder is closed.
    folder.lock()?;
    match read()? {
        Some(made_meanwhile) => Ok(made_meanwhile),
        None => {
            let fresh = Identity::generate()?;
            store(&fresh, "")?;
            Ok(fresh)
        }
    }
}

/// Publishes an identity to this process and the others of the database.
fn adopt(identity: Identity) {
    let slot = super::slot::mine();
    let [high, low] = halves(identity.replica());
    slot.replica[0].store(high, Ordering::Release);
    slot.replica[1].store(low, Ordering::Release);
    CACHED.set(Some(identity));
}

/// The replica id of this database's node, from shared memory.
pub fn replica() -> ReplicaId {
    let [high, low] = super::slot::mine()
        .replica
        .each_ref()
        .map(|h| h.load(Ordering::Acquire));
    if high == 0 && low == 0 {
        return identity().replica();
    }
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    ReplicaId(bytes)
}

fn halves(replica: ReplicaId) -> [u64; 2] {
    let n = u128::from_be_bytes(replica.0);
    [(n >> 64) as u64, n as u64]
}

/// Generates a new identity for CREATE EXTENSION; it takes the place of an old
/// one when the transaction commits ([`commit_pending`]).
pub fn generate_pending() {
    let identity = Identity::generate()
        .and_then(|identity| store(&identity, ".new").map(|()| identity))
        .unwrap_or_else(|error| fail(&error));
    // The rest of the transaction already works under it.
    adopt(identity);
}

/// Puts a pending identity in place. Called after commit: never raises; if it
/// fails, the node makes another identity at the next start.
pub fn commit_pending() {
    let _stays_pending = std::fs::rename(path(".new"), path(""));
}

/// Throws a pending identity away after a rollback. Never raises.
pub fn abort_pending() {
    let _gone_already = std::fs::remove_file(path(".new"));
    CACHED.set(None);
    if let Some(at) = super::slot::index_of(my_database()) {
        super::slot::shared().slots[at]
            .replica
            .iter()
            .for_each(|half| half.store(0, Ordering::Release));
    }
}

fn my_database() -> u32 {
    // SAFETY: set when the backend connects.
    unsafe { pg_sys::MyDatabaseId }.to_u32()
}

fn fail(error: &io::Error) -> ! {
    crate::error::raise(
        PgSqlErrorCode::ERRCODE_IO_ERROR,
        format!(
            "cannot keep the node's keys in {}: {error}",
            directory().display()
        ),
        "The server's operating system user must be able to write there.",
    )
}
