//! Tables as LaTeX `tabular` with the rules of the package booktabs, fit for pdfLaTeX.

use super::table::{Cell, Column, Page, Table};

impl Page {
    /// One `tabular` a table; remarks and titles are comments.
    pub fn latex(&self) -> String {
        let mut blocks = Vec::new();
        if !self.remarks.is_empty() {
            blocks.push(self.remark_lines().iter().map(|line| comment(line)).collect());
        }
        blocks.extend(self.tables.iter().map(tabular));
        blocks.join("\n")
    }
}

fn tabular(table: &Table) -> String {
    let sides: String = table.columns.iter().map(|c| if c.right { 'r' } else { 'l' }).collect();
    let titles: Vec<String> = table.columns.iter().map(|c: &Column| escape(&c.title)).collect();
    let mut out = if table.title.is_empty() { String::new() } else { comment(&table.title) };
    out.push_str(&format!("\\begin{{tabular}}{{{sides}}}\n\\toprule\n{} \\\\\n\\midrule\n", titles.join(" & ")));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        out.push_str(&format!("{} \\\\\n", cells.join(" & ")));
    }
    out.push_str("\\bottomrule\n\\end{tabular}\n");
    out
}

/// A comment of one line, whatever `text` holds.
fn comment(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("% {line}\n")
}

fn cell(cell: &Cell) -> String {
    match (cell.math, cell.shown.is_empty()) {
        (_, true) => String::new(),
        (true, _) => format!("${}$", mathematics(&cell.shown)),
        // Braces keep a leading [ from being read as the argument of the \\ before it, and a * likewise.
        (false, _) if cell.shown.starts_with(['[', '*']) => format!("{{{}}}", escape(&cell.shown)),
        (false, _) => escape(&cell.shown),
    }
}

/// A number, interval or number with a unit: exponents as powers of ten, words upright.
fn mathematics(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        if length > 0 && first.is_ascii_digit() {
            let (digits, tail) = rest.split_at(length);
            let (exponent, tail) = exponent(tail);
            out.push_str(digits);
            out.push_str(&exponent.map(|e| format!("\\times10^{{{e}}}")).unwrap_or_default());
            rest = tail;
            continue;
        }
        let word = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if word > 0 {
            let (letters, tail) = rest.split_at(word);
            out.push_str(&match letters {
                "inf" => "\\infty".to_owned(),
                letters => format!("\\,\\text{{{}}}", escape(letters)),
            });
            rest = tail;
            continue;
        }
        match first {
            ' ' => {}
            '%' => out.push_str("\\,\\%"),
            '±' => out.push_str("\\pm "),
            '+' | '-' | '[' | ']' | '(' | ')' | ',' | '.' | '/' | '<' | '>' | '=' => out.push(first),
            other => out.push_str(&format!("\\text{{{}}}", escape(&other.to_string()))),
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The decimal exponent that `text` begins with (`e-12`), and what follows it.
fn exponent(text: &str) -> (Option<&str>, &str) {
    let Some(tail) = text.strip_prefix('e') else { return (None, text) };
    let digits = tail.strip_prefix('-').unwrap_or(tail);
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if length == 0 {
        return (None, text);
    }
    let (exponent, rest) = tail.split_at(tail.len() - digits.len() + length);
    (Some(exponent), rest)
}

/// Text with every character that LaTeX reads as a command written so that it is printed.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            // A brace between them, or -- becomes a dash.
            '-' => out.push_str("-{}"),
            _ => match symbol(c) {
                Some(command) => out.push_str(&format!("${command}$")),
                None => out.push(c),
            },
        }
    }
    out
}

/// Mathematical symbols that pdfLaTeX does not know as characters.
fn symbol(c: char) -> Option<&'static str> {
    const SYMBOLS: &[(char, &str)] = &[
        ('±', r"\pm"),
        ('×', r"\times"),
        ('−', "-"),
        ('≤', r"\leq"),
        ('≥', r"\geq"),
        ('→', r"\to"),
        ('√', r"\surd"),
        ('∞', r"\infty"),
        ('…', r"\ldots"),
        ('²', "^2"),
        ('₀', "_0"),
        ('α', r"\alpha"),
        ('β', r"\beta"),
        ('γ', r"\gamma"),
        ('δ', r"\delta"),
        ('ε', r"\varepsilon"),
        ('η', r"\eta"),
        ('θ', r"\theta"),
        ('κ', r"\kappa"),
        ('λ', r"\lambda"),
        ('μ', r"\mu"),
        ('µ', r"\mu"),
        ('ν', r"\nu"),
        ('ξ', r"\xi"),
        ('π', r"\pi"),
        ('ρ', r"\rho"),
        ('σ', r"\sigma"),
        ('τ', r"\tau"),
        ('φ', r"\varphi"),
        ('χ', r"\chi"),
        ('ψ', r"\psi"),
        ('ω', r"\omega"),
        ('Γ', r"\Gamma"),
        ('Δ', r"\Delta"),
        ('Λ', r"\Lambda"),
        ('Σ', r"\Sigma"),
        ('Φ', r"\Phi"),
        ('Ω', r"\Omega"),
    ];
    SYMBOLS.iter().find(|(symbol, _)| *symbol == c).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cell, Column, Page, Table};
    use super::*;

    #[test]
    fn numbers_are_mathematics() {
        assert_eq!(mathematics("1.5e-12"), r"1.5\times10^{-12}");
        assert_eq!(mathematics("± 0.046"), r"\pm 0.046");
        assert_eq!(mathematics("-1.2e5"), r"-1.2\times10^{5}");
        assert_eq!(mathematics("[-5, 1e10]"), r"[-5,1\times10^{10}]");
        assert_eq!(mathematics("3.1 µs"), r"3.1\,\text{$\mu$s}");
        assert_eq!(mathematics("-inf"), r"-\infty");
        assert_eq!(mathematics("nan"), r"\,\text{nan}");
    }

    #[test]
    fn special_characters_are_printed() {
        let expected = r"a\_b \& c\% \{\$\#\} \textbackslash{}x\textasciitilde{}\textasciicircum{} \textless{}-{}-{}";
        assert_eq!(escape(r"a_b & c% {$#} \x~^ <--"), expected);
        assert_eq!(escape("σ/σ₀ × ±"), r"$\sigma$/$\sigma$$_0$ $\times$ $\pm$");
    }

    #[test]
    fn a_table() {
        let mut table = Table::new("all", [Column::left("parameter"), Column::right("best fit"), Column::left("± σ")]);
        table.add_row([Cell::name("[mu]"), Cell::number(1e-9, 3), Cell::number_as(0.5, "± 0.5")]);
        table.add_row([Cell::name("x"), Cell::empty(), Cell::text("none")]);
        let expected = r"% file  a b.json

% all
\begin{tabular}{lrl}
\toprule
parameter & best fit & $\pm$ $\sigma$ \\
\midrule
{[mu]} & $1\times10^{-9}$ & $\pm 0.5$ \\
x &  & none \\
\bottomrule
\end{tabular}
";
        assert_eq!(Page::new().remark("file", "a\nb.json").table(table).latex(), expected);
    }
}
