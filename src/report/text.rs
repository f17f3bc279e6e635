//! Names from documents made fit for a terminal: no control characters, not endlessly long.

/// Width beyond which a name is cut in tables.
pub const NAME_WIDTH: usize = 48;

/// The name with control and text-direction characters written as escapes (`\n`, `\u{1b}`).
pub fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || is_direction(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

/// Escaped, and cut in the middle where longer than [`NAME_WIDTH`]: the end often holds the index.
pub fn label(name: &str) -> String {
    shorten(&escape(name), NAME_WIDTH)
}

/// `text` with its middle replaced by `…` where it has more than `width` characters.
pub fn shorten(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width || width < 3 {
        return text.to_owned();
    }
    let tail = width / 3;
    let head = width - 1 - tail;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

/// At most `limit` names in one line, with the number of those left out.
pub fn list<S: AsRef<str>>(names: &[S], limit: usize) -> String {
    let mut text = names.iter().take(limit).map(|n| label(n.as_ref())).collect::<Vec<_>>().join(", ");
    if names.len() > limit {
        text.push_str(&format!(" and {} more", names.len() - limit));
    }
    text
}

/// Marks and overrides that turn the direction of text, and line separators.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape("a\nb\u{1b}[31m\u{202e}µ"), "a\\nb\\u{1b}[31m\\u{202e}µ");
    }

    #[test]
    fn long_names_keep_both_ends() {
        let name = format!("{}[17]", "x".repeat(10_000));
        let short = label(&name);
        assert_eq!(short.chars().count(), NAME_WIDTH);
        assert!(short.ends_with("[17]") && short.contains('…'));
    }

    #[test]
    fn lists_say_what_they_leave_out() {
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(list(&["a", "b"], 2), "a, b");
    }
}
