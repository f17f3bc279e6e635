//! Another program as the one under test: JSON lines through its standard input and output.

use super::case::{Answer, Outcome, Request};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Starts the adapter, sends every request and reads an answer for each, in order.
///
/// # Errors
/// The adapter cannot be started, or its answers are not those of the protocol.
pub fn ask(command: &str, requests: &[Request]) -> Result<Vec<Outcome>, String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut adapter = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {command}: {e}"))?;
    let (Some(stdin), Some(stdout)) = (adapter.stdin.take(), adapter.stdout.take()) else {
        return Err(format!("{command} has no standard input and output"));
    };
    let outcomes = std::thread::scope(|scope| {
        scope.spawn(move || send(stdin, requests));
        receive(BufReader::new(stdout), requests)
    });
    if outcomes.is_err() {
        // It may wait for more requests, or never end; its answers are of no use any more.
        let _ = adapter.kill();
    }
    let _ = adapter.wait();
    outcomes
}

/// Writes all requests; an adapter that does not read them is noticed by its missing answers.
fn send(mut stdin: impl Write, requests: &[Request]) {
    for request in requests {
        let sent = serde_json::to_writer(&mut stdin, request).is_ok() && stdin.write_all(b"\n").is_ok();
        if !sent {
            return;
        }
    }
}

fn receive(stdout: impl BufRead, requests: &[Request]) -> Result<Vec<Outcome>, String> {
    let mut lines = stdout.lines();
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        let line = match lines.next() {
            Some(line) => line.map_err(|e| format!("cannot read the adapter's answer: {e}"))?,
            None => return Err(format!("the adapter ended without an answer to {}", request.id)),
        };
        let answer: Answer =
            serde_json::from_str(&line).map_err(|e| format!("the answer to {} is none: {e}", request.id))?;
        if answer.id != request.id {
            return Err(format!("the answer to {} has the id {}", request.id, answer.id));
        }
        outcomes.push(answer.outcome);
    }
    Ok(outcomes)
}
