//! Answers kept in memory until the data they were made from changes; each is made once at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::{
    budget::Budget,
    text::{Spare, Text, Writer},
};

/// How long a large answer waits for others to be sent before it is made.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many different questions are remembered.
const MAX_SLOTS: usize = 4_096;

/// A finished answer: it can be sent again as long as its versions are the current ones.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The versions of the data, read before the data in the same snapshot.
    pub versions: String,
    /// The count of changes of its data from before the versions were read, or compared, last.
    pub change_notifier: Option<u64>,
    /// The body.
    pub body: Text,
    /// How many rows there are on all pages, for lists.
    pub total: Option<i64>,
    /// The records of protected people that it shows.
    pub protected: Arc<super::disclosure::Kept>,
}

/// Whoever holds it makes the answer; the others wait for it.
pub type Slot = OwnedMutexGuard<Option<Answer>>;

/// When a question was last asked, how many bytes its answer has, and the answer.
struct Place {
    asked: u64,
    size: usize,
    answer: Arc<AsyncMutex<Option<Answer>>>,
}

impl Place {
    fn new(size: usize) -> Self {
        Self { asked: 0, size, answer: Arc::default() }
    }
}

struct Slots {
    /// How many bytes of answers are kept.
    most: usize,
    by_question: HashMap<String, Place>,
    clock: u64,
    bytes: usize,
}

/// The cache; clones share it. What it keeps counts against the budget of answers, once, however many
/// connections are sent it.
#[derive(Clone)]
pub struct Cache {
    slots: Arc<Mutex<Slots>>,
    budget: Budget,
}

impl Spare for Mutex<Slots> {
    fn make_room(&self, bytes: usize) {
        let mut slots = self.lock().unwrap_or_else(PoisonError::into_inner);
        let goal = slots.bytes.saturating_sub(bytes);
        while slots.bytes > goal && slots.by_question.len() > 1 {
            slots.forget_oldest();
        }
    }
}

impl Cache {
    /// Keeps so many bytes of all answers that the budget has room for.
    #[must_use]
    pub fn new(most: usize, budget: Budget) -> Self {
        let slots = Slots { most, by_question: HashMap::new(), clock: 0, bytes: 0 };
        Self { slots: Arc::new(Mutex::new(slots)), budget }
    }

    /// The bytes of all answers: kept, being made, being sent.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Waits a little while others are sent so much that there is hardly room for one answer more.
    pub async fn wait_for_room(&self) {
        let room = self.budget.limit() / 4;
        if self.budget.is_tight() {
            self.slots.make_room(room);
            drop(self.budget.wait(room, PATIENCE).await);
        }
    }

    /// Somewhere to write an answer to.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(&self.budget, self.spare())
    }

    /// Whoever gives up kept answers when there is no room for new ones.
    #[must_use]
    pub fn spare(&self) -> Arc<dyn Spare> {
        self.slots.clone()
    }

    /// The place of a question's answer, once nobody else is making it.
    pub async fn slot(&self, question: &str) -> Slot {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.clock += 1;
            let now = slots.clock;
            if !slots.by_question.contains_key(question) {
                while slots.by_question.len() >= MAX_SLOTS || slots.bytes > slots.most && !slots.by_question.is_empty() {
                    slots.forget_oldest();
                }
                slots.bytes += question.len();
            }
            let place = slots.by_question.entry(question.to_owned()).or_insert_with(|| Place::new(question.len()));
            place.asked = now;
            Arc::clone(&place.answer)
        };
        slot.lock_owned().await
    }

    /// Notes that an answer is still good at this count of changes.
    pub async fn confirm(&self, question: &str, versions: &str, change_notifier: Option<u64>) {
        let mut slot = self.slot(question).await;
        if let Some(answer) = slot.as_mut().filter(|answer| answer.versions == versions) {
            answer.change_notifier = answer.change_notifier.max(change_notifier);
        }
    }

    /// The kept answer, whatever its versions, without keeping anybody else from it.
    pub async fn kept(&self, question: &str) -> Option<Answer> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
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
        let size = answer.body.held() + answer.protected.bytes() + question.len();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if size > slots.most / 4 * 3 {
            **slot = None;
            return;
        }
        **slot = Some(answer.clone());
        let Some(place) = slots.by_question.get_mut(question) else { return };
        let before = std::mem::replace(&mut place.size, size);
        slots.bytes = slots.bytes - before + size;
        while slots.bytes > slots.most && slots.by_question.len() > 1 {
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
