//! Elements of XML as text.

pub(super) struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    pub fn new(tag: &'static str) -> Element {
        Element { tag, attributes: Vec::new(), text: String::new(), children: Vec::new() }
    }

    pub fn with_text(tag: &'static str, text: impl Into<String>) -> Element {
        Element { text: text.into(), ..Element::new(tag) }
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.attributes.push((name, value.into()));
    }

    /// All digits, so that the same number is read back.
    pub fn set_number(&mut self, name: &'static str, value: f64) {
        self.set(name, format!("{value:?}"));
    }

    pub fn add(&mut self, child: Element) {
        self.children.push(child);
    }

    /// A file. ROOT asks for the schema, which lies in its folder etc.
    pub fn document(&self, tag: &str, schema: &str) -> Vec<u8> {
        let mut text = format!("<!DOCTYPE {tag} SYSTEM '{schema}'>\n\n");
        self.write(0, &mut text);
        text.into_bytes()
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}<{}", self.tag));
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
        if self.children.is_empty() && self.text.is_empty() {
            out.push_str(" />\n");
            return;
        }
        out.push('>');
        out.push_str(&escaped(&self.text));
        if !self.children.is_empty() {
            out.push('\n');
            self.children.iter().for_each(|child| child.write(depth + 1, out));
            out.push_str(&indent);
        }
        out.push_str(&format!("</{}>\n", self.tag));
    }
}

/// Characters that mean something, and white space that readers of attributes would change.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// XML has no form for these characters, escaped or not.
pub(super) fn is_writable(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
}
