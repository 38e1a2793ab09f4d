//! A queue between two stages of a file's way, bounded by bytes.
//!
//! Values differ in size by orders of magnitude, so that a number of them
//! bounds nothing. Whoever sends waits for room; whoever receives makes it.
//!
//! Invariant: what waits takes no more bytes than the bound, or is one value.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Puts values in.
pub(crate) struct Sender<T> {
    values: mpsc::UnboundedSender<Waiting<T>>,
    room: Arc<Semaphore>,
    bytes_max: u32,
}

/// Takes values out, in order.
pub(crate) struct Receiver<T> {
    values: mpsc::UnboundedReceiver<Waiting<T>>,
    room: Arc<Semaphore>,
}

struct Waiting<T> {
    value: T,
    _room: OwnedSemaphorePermit,
}

/// Nobody listens any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// A queue in which values of together `bytes_max` bytes may wait.
pub(crate) fn queue<T>(bytes_max: u64) -> (Sender<T>, Receiver<T>) {
    let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX).clamp(1, ROOM_MAX);
    let room = Arc::new(Semaphore::new(bytes_max as usize));
    let (sender, receiver) = mpsc::unbounded_channel();
    let sender = Sender { values: sender, room: Arc::clone(&room), bytes_max };
    (sender, Receiver { values: receiver, room })
}

/// More than anybody asks for, and less than a semaphore can count.
const ROOM_MAX: u32 = u32::MAX >> 4;

impl<T> Sender<T> {
    /// Waits until a value of so many bytes has room, and puts it in.
    pub(crate) async fn send(&self, value: T, bytes: u64) -> Result<(), Closed> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes_max);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| Closed)?;
        self.values.send(Waiting { value, _room: room }).map_err(|_| Closed)
    }

    /// The same for a thread that may block.
    pub(crate) fn send_blocking(&self, value: T, bytes: u64) -> Result<(), Closed> {
        Handle::current().block_on(self.send(value, bytes))
    }

    /// Whether nothing waits: the receiver takes faster than is sent.
    pub(crate) fn is_starved(&self) -> bool {
        self.room.available_permits() >= self.bytes_max as usize
    }
}

impl<T> Receiver<T> {
    /// The next value; `None` once there will be none.
    pub(crate) async fn receive(&mut self) -> Option<T> {
        self.values.recv().await.map(|waiting| waiting.value)
    }

    /// The same for a thread that may block.
    pub(crate) fn receive_blocking(&mut self) -> Option<T> {
        self.values.blocking_recv().map(|waiting| waiting.value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_has_no_room_waits_until_something_is_taken() {
        let (sender, mut receiver) = queue(10);
        sender.send('a', 6).await.unwrap();
        let mut second = Box::pin(sender.send('b', 6));
        assert_eq!((&mut second).now_or_never(), None);
        assert_eq!(receiver.receive().await, Some('a'));
        assert_eq!(second.now_or_never(), Some(Ok(())));
        assert_eq!(receiver.receive().await, Some('b'));
        assert!(sender.is_starved());
    }

    #[tokio::test]
    async fn a_value_that_is_larger_than_the_room_goes_alone() {
        let (sender, mut receiver) = queue(10);
        sender.send('a', 1000).await.unwrap();
        assert!(!sender.is_starved());
        assert_eq!(sender.send('b', 1).now_or_never(), None);
        assert_eq!(receiver.receive().await, Some('a'));
    }

    #[tokio::test]
    async fn either_end_learns_that_the_other_is_gone() {
        let (sender, receiver) = queue(10);
        sender.send('a', 10).await.unwrap();
        let waiting = sender.send('b', 10);
        drop(receiver);
        assert_eq!(waiting.await, Err(Closed));
        let (sender, mut receiver) = queue::<char>(10);
        drop(sender);
        assert_eq!(receiver.receive().await, None);
    }
}
