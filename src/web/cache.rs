//! Answers kept in memory until the data they were made from changes; each is made once at a time.

use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How many bytes of answers are kept; the bulk answer of a large provider must fit.
const BUDGET: usize = 64 * 1024 * 1024;
/// How many different questions are remembered.
const MAX_SLOTS: usize = 4_096;

/// A finished answer: it can be sent again as long as its versions are the current ones.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The versions of the data, read before the data in the same snapshot.
    pub versions: String,
    /// The database's pulse from before the versions were read, or compared, last.
    pub pulse: Option<u64>,
    /// The body.
    pub body: Bytes,
    /// How many rows there are on all pages, for lists.
    pub total: Option<i64>,
    /// How many records of protected people it shows.
    pub protected: usize,
}

/// Whoever holds it makes the answer; the others wait for it.
pub type Slot = OwnedMutexGuard<Option<Answer>>;

/// When a question was last asked, how many bytes its answer has, and the answer.
#[derive(Default)]
struct Place {
    asked: u64,
    size: usize,
    answer: Arc<AsyncMutex<Option<Answer>>>,
}

#[derive(Default)]
struct Slots {
    by_question: HashMap<String, Place>,
    clock: u64,
    bytes: usize,
}

/// The cache; clones share it.
#[derive(Clone, Default)]
pub struct Cache(Arc<Mutex<Slots>>);

impl Cache {
    /// The place of a question's answer, once nobody else is making it.
    pub async fn slot(&self, question: &str) -> Slot {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.clock += 1;
            let now = slots.clock;
            if !slots.by_question.contains_key(question) && slots.by_question.len() >= MAX_SLOTS {
                slots.forget_oldest();
            }
            let place = slots.by_question.entry(question.to_owned()).or_default();
            place.asked = now;
            Arc::clone(&place.answer)
        };
        slot.lock_owned().await
    }

    /// Notes that an answer is still good at this pulse.
    pub async fn confirm(&self, question: &str, versions: &str, pulse: Option<u64>) {
        let mut slot = self.slot(question).await;
        if let Some(answer) = slot.as_mut().filter(|answer| answer.versions == versions) {
            answer.pulse = answer.pulse.max(pulse);
        }
    }

    /// The kept answer, whatever its versions, without keeping anybody else from it.
    pub async fn kept(&self, question: &str) -> Option<Answer> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.clock += 1;
            let now = slots.clock;
            let place = slots.by_question.get_mut(question)?;
            place.asked = now;
            Arc::clone(&place.answer)
        };
        slot.lock_owned().await.clone()
    }

    /// Keeps an answer in its place, at the cost of those that were not asked for longest.
    pub fn keep(&self, question: &str, slot: &mut Slot, answer: &Answer) {
        let size = answer.body.len() + question.len();
        if size > BUDGET / 4 * 3 {
            return;
        }
        **slot = Some(answer.clone());
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = slots.by_question.get_mut(question) else { return };
        let before = std::mem::replace(&mut place.size, size);
        slots.bytes = slots.bytes - before + size;
        while slots.bytes > BUDGET && slots.by_question.len() > 1 {
            slots.forget_oldest();
        }
    }
}

impl Slots {
    fn forget_oldest(&mut self) {
        let oldest = self.by_question.iter().min_by_key(|(_, place)| place.asked).map(|(question, _)| question.clone());
        if let Some(place) = oldest.and_then(|question| self.by_question.remove(&question)) {
            self.bytes -= place.size;
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
