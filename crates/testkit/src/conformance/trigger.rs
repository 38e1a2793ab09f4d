//! The suite for [`Trigger`]s that list.
//!
//! ```text
//! decant_testkit::trigger_conformance!(S3::new());
//! ```

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::trigger::{Arrival, Receipt, Trigger};

/// An empty place for objects, and the triggers that watch it. Made anew for
/// every property.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Puts an object at `key`, relative to the place.
    async fn put(&self, key: &str, body: Bytes);

    /// The key that arrivals have for what was put at `key`.
    fn key(&self, key: &str) -> String;

    /// A trigger that reports everything at the place.
    async fn trigger(&self) -> Box<dyn Trigger>;

    /// Whether the place can have an object of this key. Answer `false` only
    /// for what it refuses by its nature, as file systems do with `a//b`.
    fn can_hold(&self, key: &str) -> bool {
        let _ = key;
        true
    }
}

/// Keys with which listings fail: those that sort differently as text and as
/// bytes, that look encoded, that need encoding.
const KEYS: &[&str] = &[
    "A",
    "Z",
    "a",
    "aa",
    "b",
    "10",
    "9",
    "\u{e9}.csv",
    "e\u{301}.csv",
    "a b",
    "a+b",
    "a%20b",
    "a%2Fb",
    "a&b",
    "a'b",
    "a\"b",
    "a\nb",
    "a\\b",
    "a?b",
    "a#b",
    "a<b>",
    "*",
    "~",
    "🦀",
    "\u{ffff}x",
    "deep/er/a",
    "deep-/a",
    "deep/a",
    "deep.a",
    "a//b",
    "dir/../up",
    "dir/./here",
    "dir/ ",
];

async fn all(trigger: &mut dyn Trigger) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    while let Some(page) = trigger.next().await.expect("a page") {
        arrivals.extend(page);
    }
    arrivals
}

fn keys(arrivals: &[Arrival]) -> Vec<String> {
    arrivals.iter().map(|arrival| arrival.file.key.clone()).collect()
}

/// Where there is nothing, the trigger ends, and stays at its end.
pub async fn an_empty_place_ends_at_once(fixture: &dyn Fixture) {
    let mut trigger = fixture.trigger().await;
    assert!(all(trigger.as_mut()).await.is_empty());
    assert!(trigger.next().await.expect("the end").is_none());
}

/// Every object arrives once, in byte order, with its key as it is.
pub async fn awkward_keys_arrive_once_and_in_byte_order(fixture: &dyn Fixture) {
    let mut expected = Vec::new();
    for key in KEYS.iter().filter(|key| fixture.can_hold(key)) {
        fixture.put(key, Bytes::from_static(b"x")).await;
        expected.push(fixture.key(key));
    }
    expected.sort_unstable();
    assert!(expected.len() > 10, "the place holds next to nothing");
    let arrivals = all(fixture.trigger().await.as_mut()).await;
    assert_eq!(keys(&arrivals), expected);
}

/// More objects than a page has all arrive, once and in order.
pub async fn many_pages_arrive_once_and_in_order(fixture: &dyn Fixture) {
    let mut expected = Vec::new();
    for number in 0..2_345 {
        let key = format!("part-{number}.csv");
        fixture.put(&key, Bytes::from_static(b"x")).await;
        expected.push(fixture.key(&key));
    }
    expected.sort_unstable();
    let mut trigger = fixture.trigger().await;
    let arrivals = all(trigger.as_mut()).await;
    assert_eq!(keys(&arrivals), expected);
    assert!(trigger.next().await.expect("the end").is_none(), "the end stays the end");
}

/// An arrival tells the size, also of nothing, and an identity that changes
/// with the content and only with it.
pub async fn an_arrival_tells_size_and_content(fixture: &dyn Fixture) {
    fixture.put("empty", Bytes::new()).await;
    fixture.put("same", Bytes::from_static(b"same")).await;
    fixture.put("changed", Bytes::from_static(b"before")).await;
    let before = by_key(all(fixture.trigger().await.as_mut()).await);
    fixture.put("changed", Bytes::from_static(b"behind it")).await;
    let after = by_key(all(fixture.trigger().await.as_mut()).await);
    for (key, size) in [("empty", 0), ("same", 4), ("changed", 9)] {
        assert_eq!(after[&fixture.key(key)].file.size, size, "the size of `{key}`");
    }
    let is_same = |key: &str| before[&fixture.key(key)].file == after[&fixture.key(key)].file;
    assert!(is_same("empty") && is_same("same") && !is_same("changed"));
}

fn by_key(arrivals: Vec<Arrival>) -> BTreeMap<String, Arrival> {
    arrivals.into_iter().map(|arrival| (arrival.file.key.clone(), arrival)).collect()
}

/// A receipt may be acknowledged twice, and `None` always; a listing reports
/// what it reported before.
pub async fn acknowledging_twice_is_harmless(fixture: &dyn Fixture) {
    fixture.put("a", Bytes::from_static(b"x")).await;
    fixture.put("b", Bytes::from_static(b"x")).await;
    let mut trigger = fixture.trigger().await;
    let arrivals = all(trigger.as_mut()).await;
    for arrival in arrivals.iter().chain(&arrivals) {
        trigger.acknowledge(&arrival.receipt).await.expect("the receipt is taken");
    }
    trigger.acknowledge(&Receipt::None).await.expect("nothing to acknowledge");
    let again = all(fixture.trigger().await.as_mut()).await;
    assert_eq!(keys(&again), keys(&arrivals));
}

/// Makes one test of each property of the suite, with the fixture that the
/// expression makes (it may `.await`). Needs `tokio` with its macros.
#[macro_export]
macro_rules! trigger_conformance {
    ($fixture:expr) => {
        $crate::trigger_conformance! { @tests $fixture;
            an_empty_place_ends_at_once
            awkward_keys_arrive_once_and_in_byte_order
            many_pages_arrive_once_and_in_order
            an_arrival_tells_size_and_content
            acknowledging_twice_is_harmless
        }
    };
    (@tests $fixture:expr; $($property:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $property() {
                $crate::conformance::in_time(async {
                    let fixture = $fixture;
                    $crate::conformance::trigger::$property(&fixture).await;
                })
                .await;
            }
        )+
    };
}

#[cfg(test)]
mod tests;
