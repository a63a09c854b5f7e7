use super::*;

fn answer(size: usize) -> Answer {
    Answer { versions: "1".into(), pulse: None, body: vec![0; size].into(), total: None, protected: 0 }
}

#[tokio::test]
async fn an_answer_is_kept_and_the_oldest_leave_first() {
    let cache = Cache::default();
    for index in 0..8 {
        let question = format!("q{index}");
        let mut slot = cache.slot(&question).await;
        cache.keep(&question, &mut slot, &answer(BUDGET / 4));
        drop(slot);
        assert!(cache.0.lock().unwrap().bytes <= BUDGET);
    }
    assert!(cache.slot("q0").await.is_none());
    assert_eq!(cache.slot("q7").await.as_ref().unwrap().body.len(), BUDGET / 4);
}

#[tokio::test]
async fn a_question_is_answered_once_at_a_time() {
    let cache = Cache::default();
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..20).map(|_| {
        let (cache, made) = (cache.clone(), Arc::clone(&made));
        tokio::spawn(async move {
            let mut slot = cache.slot("q").await;
            if slot.is_none() {
                tokio::task::yield_now().await;
                made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                cache.keep("q", &mut slot, &answer(1));
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
    let cache = Cache::default();
    for index in 0..MAX_SLOTS + 10 {
        drop(cache.slot(&format!("q{index}")).await);
    }
    assert_eq!(cache.0.lock().unwrap().by_question.len(), MAX_SLOTS);
}
