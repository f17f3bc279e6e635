//! How far a long computation has come, and the wish that it stops: seen from another thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts what is done; a computation that finds it stopped ends early and returns what it has.
#[derive(Debug, Default)]
pub struct Watch {
    total: AtomicU64,
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Watch {
    pub fn new() -> Watch {
        Watch::default()
    }

    /// Says how many steps there will be.
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// One more step is done.
    pub fn step(&self) {
        self.advance(1);
    }

    pub fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// (steps done, steps expected; 0 where unknown).
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
