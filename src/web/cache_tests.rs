use std::io::Write as _;

use super::*;

const MOST: usize = 400_000;

fn cache() -> Cache {
    Cache::new(MOST, Budget::new(4 * MOST))
}

fn answer(cache: &Cache, size: usize) -> Answer {
    let mut writer = cache.writer();
    writer.write_all(&vec![0; size]).unwrap();
    Answer {
        versions: "1".into(),
        change_notifier: None,
        body: writer.finish(b"").unwrap(),
        total: None,
        protected: std::sync::Arc::default(),
    }
}

#[tokio::test]
async fn an_answer_is_kept_and_the_oldest_leave_first() {
    let cache = cache();
    for index in 0..8 {
        let question = format!("q{index}");
        let mut slot = cache.slot(&question).await;
        cache.keep(&question, &mut slot, &answer(&cache, MOST / 4 - 2));
        drop(slot);
        assert!(cache.slots.lock().unwrap().bytes <= MOST);
    }
    assert!(cache.slot("q0").await.is_none());
    assert_eq!(cache.slot("q7").await.as_ref().unwrap().body.held(), MOST / 4 - 2);
}

#[tokio::test]
async fn a_question_is_answered_once_at_a_time() {
    let cache = cache();
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..20).map(|_| {
        let (cache, made) = (cache.clone(), Arc::clone(&made));
        tokio::spawn(async move {
            let mut slot = cache.slot("q").await;
            if slot.is_none() {
                tokio::task::yield_now().await;
                made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                cache.keep("q", &mut slot, &answer(&cache, 1));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(made.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn strangers_cannot_fill_the_memory_with_questions() {
    let cache = cache();
    for index in 0..MAX_SLOTS + 10 {
        drop(cache.slot(&format!("q{index}")).await);
    }
    assert_eq!(cache.slots.lock().unwrap().by_question.len(), MAX_SLOTS);
}

#[tokio::test]
async fn kept_answers_make_room_for_new_ones_and_are_paid_for_once() {
    let cache = Cache::new(MOST, Budget::new(MOST));
    for question in ["a", "b", "c"] {
        let mut slot = cache.slot(question).await;
        cache.keep(question, &mut slot, &answer(&cache, MOST / 4));
    }
    let sent: Vec<_> = (0..100).map(|_| cache.budget().take(0)).collect();
    assert!(cache.budget().is_tight() && sent.len() == 100);
    let big = answer(&cache, MOST / 2);
    assert_eq!(big.body.held(), MOST / 2);
    assert!(cache.kept("a").await.is_none() && cache.kept("c").await.is_some());
}

#[tokio::test]
async fn long_questions_count_too() {
    let cache = cache();
    for index in 0..100 {
        drop(cache.slot(&format!("{index}{}", "q".repeat(MOST / 10))).await);
    }
    assert!(cache.slots.lock().unwrap().by_question.len() < 12);
}
