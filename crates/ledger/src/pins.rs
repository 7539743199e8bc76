//! What an auditor knows beforehand. Without it a proof shows only that it agrees with itself:
//! anybody can found a chain of his own.

use crate::certificate::Certificate;
use crate::ids::ChainId;
use crate::validators::ValidatorSet;

/// What an auditor knows beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    /// The chain that it must be.
    pub chain_id: Option<ChainId>,
    /// Validators that the auditor trusts; if there are any, a quorum of them must have signed.
    pub validator_keys: Vec<[u8; 32]>,
}

/// On what a verified statement rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Pinned validators signed it.
    PinnedValidators,
    /// The pinned chain's genesis leads to who signed it.
    PinnedChain,
    /// Nothing was pinned: it agrees with itself and names its chain.
    Itself,
}

impl Trust {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PinnedValidators => "pinned_validators",
            Self::PinnedChain => "pinned_chain",
            Self::Itself => "itself",
        }
    }
}

impl Pins {
    /// Whether the pinned keys among the certificate's signers are a quorum of `set`. The
    /// certificate must have been verified against `set`.
    pub fn accept(&self, set: &ValidatorSet, certificate: &Certificate) -> bool {
        let weight = certificate
            .signatures
            .iter()
            .filter_map(|signer| set.0.get(&signer.node))
            .filter(|validator| self.validator_keys.contains(&validator.signing_key))
            .fold(0u64, |sum, validator| sum.saturating_add(validator.weight));
        set.is_quorum(weight)
    }

    /// On what a statement rests that these pins accept.
    pub fn trust(&self) -> Trust {
        match (&self.chain_id, self.validator_keys.is_empty()) {
            (_, false) => Trust::PinnedValidators,
            (Some(_), true) => Trust::PinnedChain,
            (None, true) => Trust::Itself,
        }
    }
}
