//! Remembers for a minute which tokens have been proved: a signature costs more than a hash.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};

use super::Claims;

/// How long a proof counts.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The most tokens remembered.
const MOST: usize = 4_096;

/// The proofs, by the token's hash.
#[derive(Debug, Default)]
pub struct Proved(Mutex<HashMap<Hash, Proof>>);

type Hash = [u8; 32];

#[derive(Debug)]
struct Proof {
    claims: Arc<Claims>,
    at: Instant,
    generation: u64,
}

impl Proved {
    /// The claims of a token that was proved a moment ago with the keys of this generation.
    pub fn find(&self, token: &str, generation: u64) -> Option<Arc<Claims>> {
        let proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let proof = proofs.get(&hash(token)).filter(|p| p.generation == generation && p.at.elapsed() < REMEMBERED);
        proof.map(|proof| proof.claims.clone())
    }

    /// Remembers a proof.
    pub fn remember(&self, token: &str, generation: u64, claims: Arc<Claims>) {
        let mut proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= MOST {
            proofs.retain(|_, proof| proof.generation == generation && proof.at.elapsed() < REMEMBERED);
        }
        if proofs.len() >= MOST {
            proofs.clear();
        }
        proofs.insert(hash(token), Proof { claims, at: Instant::now(), generation });
    }
}

fn hash(token: &str) -> Hash {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}
