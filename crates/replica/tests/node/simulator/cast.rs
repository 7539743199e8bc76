//! The members of a test's cluster: the first is the founder and the only validator.

use ledger::{Genesis, Member, MemberKeys, SigningKey};
use replica::Options;

use super::host::Host;
use super::random::Random;

/// When every run begins, unix milliseconds.
pub const START_MS: u64 = 1_700_000_000_000;

pub struct Cast {
    pub keys: Vec<SigningKey>,
    pub members: Vec<Member>,
    pub genesis: Genesis,
}

impl Cast {
    pub fn new(nodes: usize, random: &mut Random) -> Self {
        let keys: Vec<SigningKey> = (0..nodes)
            .map(|_| SigningKey::from_bytes(&random.bytes()))
            .collect();
        let members: Vec<Member> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| member(index, key, random))
            .collect();
        let genesis = Genesis {
            founder: members[0].clone(),
            time_ms: START_MS,
            predecessor: None,
            nonce: random.bytes(),
        };
        Self {
            keys,
            members,
            genesis,
        }
    }

    /// A host for each member; those from `late` on are unknown to the others.
    pub fn hosts(&self, late: usize, options: &Options) -> Vec<Host> {
        let host = |(index, member): (usize, &Member)| {
            let known = if index < late {
                &self.members[..late]
            } else {
                &self.members[..]
            };
            let key = self.keys[index].clone();
            Host::new(member.clone(), key, &self.genesis, known, options.clone())
        };
        self.members.iter().enumerate().map(host).collect()
    }
}

fn member(index: usize, key: &SigningKey, random: &mut Random) -> Member {
    let mut public = || {
        SigningKey::from_bytes(&random.bytes())
            .verifying_key()
            .to_bytes()
    };
    let keys = MemberKeys {
        signing: key.verifying_key().to_bytes(),
        tls: public(),
        checkpoint: public(),
    };
    let name = format!("node{index}");
    let url = format!("https://{name}.example:7400");
    Member::new(keys, [index as u8; 16], &name, &url, u64::from(index == 0)).unwrap()
}
