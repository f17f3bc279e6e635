//! Long runs on a terminal: a bar after a second, and Ctrl-C that keeps what is done.

use super::{CommandError, note};
use crate::infer::Watch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What Ctrl-C stops.
static RUNNING: Mutex<Option<Arc<Watch>>> = Mutex::new(None);

/// Runs `compute` under a watch: its steps are shown on stderr as `label` where that is a terminal and it takes longer than a
/// second; the first Ctrl-C stops the watch, a second one ends the program.
pub fn run<T>(label: &str, compute: impl FnOnce(&Watch) -> T) -> Result<T, CommandError> {
    install_handler()?;
    let watch = Arc::new(Watch::new());
    *lock() = Some(Arc::clone(&watch));
    let result =
        if std::io::stderr().is_terminal() { with_bar(label, &watch, || compute(&watch)) } else { compute(&watch) };
    *lock() = None;
    if watch.is_stopped() {
        note("interrupted: the result holds what was done until then");
    }
    Ok(result)
}

fn lock() -> std::sync::MutexGuard<'static, Option<Arc<Watch>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install_handler() -> Result<(), CommandError> {
    static HANDLER: OnceLock<Result<(), String>> = OnceLock::new();
    let installed = HANDLER.get_or_init(|| {
        let handler = || match lock().as_ref() {
            Some(watch) if !watch.is_stopped() => watch.stop(),
            _ => std::process::exit(130),
        };
        ctrlc::set_handler(handler).map_err(|e| e.to_string())
    });
    installed.clone().map_err(|e| CommandError::Message(format!("cannot catch Ctrl-C: {e}")))
}

fn with_bar<T>(label: &str, watch: &Watch, compute: impl FnOnce() -> T) -> T {
    let (finished, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut pause = Duration::from_secs(1);
            let mut bar: Option<ProgressBar> = None;
            while wait.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let (done, total) = watch.progress();
                let bar = bar.get_or_insert_with(|| new_bar(label, total));
                bar.set_length(total);
                bar.set_position(done);
                pause = Duration::from_millis(100);
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        let result = compute();
        drop(finished);
        result
    })
}

fn new_bar(label: &str, total: u64) -> ProgressBar {
    let template = if total == 0 {
        "{spinner} {msg} {pos} [{elapsed}]"
    } else {
        "{spinner} {msg} {wide_bar} {pos}/{len} [{elapsed}, {eta} left]"
    };
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(label.to_owned());
    bar
}
