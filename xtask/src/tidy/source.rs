//! Rust text with its comments and literals told apart from its code.

/// A Rust file, once as it is and once with only its code left.
pub(super) struct Source<'a> {
    /// As it is.
    pub(super) text: &'a str,
    /// Of the same length; comments and what literals contain are spaces.
    pub(super) code: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, code: Blanker::new(text).run() }
    }

    /// The line numbers, from 1, on which `needle` stands in the code.
    pub(super) fn lines_with(&self, needle: &str) -> Vec<usize> {
        self.code.match_indices(needle).map(|(at, _)| self.line_of(at)).collect()
    }

    pub(super) fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

struct Blanker<'a> {
    rest: &'a str,
    /// The last character of the code so far.
    last: char,
    out: String,
}

impl<'a> Blanker<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, last: ' ', out: String::with_capacity(text.len()) }
    }

    fn run(mut self) -> String {
        while let Some(first) = self.rest.chars().next() {
            let in_word = self.last.is_alphanumeric() || self.last == '_';
            if self.rest.starts_with("//") {
                self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.blank(block_comment(self.rest));
            } else if let Some(opening) = raw_string(self.rest).filter(|_| !in_word) {
                let hashes = opening.trim_start_matches(['b', 'c', 'r']).trim_end_matches('"');
                self.keep(opening.len());
                let closing = format!("\"{hashes}");
                self.blank(self.rest.find(&closing).unwrap_or(self.rest.len()));
                self.keep(closing.len().min(self.rest.len()));
            } else if first == '"' {
                self.keep(1);
                self.blank(until_quote(self.rest, '"'));
                self.keep(1.min(self.rest.len()));
            } else if first == '\'' && is_character(self.rest) {
                self.keep(1);
                self.blank(until_quote(self.rest, '\''));
                self.keep(1.min(self.rest.len()));
            } else {
                self.keep(first.len_utf8());
            }
        }
        self.out
    }

    fn keep(&mut self, count: usize) {
        let (kept, rest) = self.rest.split_at(count);
        self.out.push_str(kept);
        self.last = kept.chars().next_back().unwrap_or(self.last);
        self.rest = rest;
    }

    fn blank(&mut self, count: usize) {
        let (blanked, rest) = self.rest.split_at(count);
        // A space for each byte, so that places in text and code stay the same.
        for byte in blanked.bytes() {
            self.out.push(if byte == b'\n' { '\n' } else { ' ' });
        }
        self.last = ' ';
        self.rest = rest;
    }
}

/// The length of a comment, those inside it included.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `r"`, `br#"` and so on, if the text begins with one.
fn raw_string(text: &str) -> Option<&str> {
    let after = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let after = after.trim_start_matches('#').strip_prefix('"')?;
    text.get(..text.len() - after.len())
}

fn until_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let text = r##"
            // todo!() in a line
            /* todo!() /* and inside */ todo!() */
            let a = "todo!() \" todo!()";
            let b = r#"todo!() " todo!()"#;
            let c: &'static str = b"todo!()"; let d = '"'; todo!("é");
            let for_r = macro_r"todo!()";
        "##;
        let source = Source::new(text);
        assert_eq!(source.lines_with("todo!("), [6]);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.lines_with("&'static str"), [6]);
    }

    #[test]
    fn text_that_ends_too_early_is_read_to_its_end() {
        for text in ["\"open", "r#\"open", "/* open /*", "'", "'\\", "//"] {
            assert_eq!(Source::new(text).code.len(), text.len());
        }
    }
}
