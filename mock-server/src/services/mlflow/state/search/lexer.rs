//! Splits a filter into tokens. Never fails: what fits nothing is [`Kind::Other`].

/// One token as it stands in the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Where it begins.
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `metrics.acc`, `` tags.`a b` ``, `attributes."run name"`.
    Name,
    /// `'text'`, the usual value.
    Text,
    /// `"text"`: a value, or a name.
    Quoted,
    /// A number.
    Number,
    /// `=`, `!=`, `<=` and whatever else consists of these characters.
    Comparator,
    Open,
    Close,
    Comma,
    Semicolon,
    Other,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Name && self.text.eq_ignore_ascii_case(word)
    }

    /// Where the next one may begin.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

pub(super) fn tokens(filter: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = filter[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &filter[at..];
        let (kind, len) = next(rest, first);
        found.push(Token { kind, text: &rest[..len], at });
        at += len;
    }
    found
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    let single = |kind| (kind, first.len_utf8());
    match first {
        '(' => single(Kind::Open),
        ')' => single(Kind::Close),
        ',' => single(Kind::Comma),
        ';' => single(Kind::Semicolon),
        '\'' => match quoted(rest, '\'') {
            Some(len) => (Kind::Text, len),
            None => (Kind::Other, rest.len()),
        },
        '<' | '>' | '=' | '~' | '!' => {
            (Kind::Comparator, run(rest, |it| matches!(it, '<' | '>' | '=' | '~' | '!')))
        }
        _ => match number(rest).map(|len| (Kind::Number, len)).or_else(|| name(rest)) {
            Some(found) => found,
            None => single(Kind::Other),
        },
    }
}

/// The length of the characters at the beginning of which `holds`.
fn run(rest: &str, holds: impl Fn(char) -> bool) -> usize {
    rest.find(|it| !holds(it)).unwrap_or(rest.len())
}

/// The length of what stands in `quote`, the quotes included.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let len = rest.strip_prefix(quote)?.find(quote)?;
    Some(len + 2 * quote.len_utf8())
}

fn number(rest: &str) -> Option<usize> {
    let digits = |it: &str| run(it, |it| it.is_ascii_digit());
    let mut len = usize::from(rest.starts_with('-'));
    let whole = digits(&rest[len..]);
    len += whole;
    let mut fraction = 0;
    if rest[len..].starts_with('.') {
        fraction = digits(&rest[len + 1..]);
        if 0 < whole + fraction {
            len += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    let exponent = rest[len..].strip_prefix(['e', 'E']);
    if let Some(exponent) = exponent {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let power = digits(&exponent[sign..]);
        if 0 < power {
            len += 1 + sign + power;
        }
    }
    // `5x` is no number and a name after it, but a name.
    let is_name = rest[len..].starts_with(is_bare) || rest[len..].starts_with('.');
    (!is_name).then_some(len)
}

fn is_bare(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == '$' || it == '@' || it == '#'
}

/// Parts with dots between them. A part is bare or in quotes.
fn name(rest: &str) -> Option<(Kind, usize)> {
    let part = |rest: &str| match rest.chars().next() {
        Some(quote @ ('`' | '"')) => quoted(rest, quote),
        _ => Some(run(rest, is_bare)).filter(|it| 0 < *it),
    };
    let mut len = part(rest)?;
    let is_quoted = rest.starts_with('"') && !rest[len..].starts_with('.');
    while rest[len..].starts_with('.') {
        match part(&rest[len + 1..]) {
            Some(more) => len += 1 + more,
            None => break,
        }
    }
    Some((if is_quoted { Kind::Quoted } else { Kind::Name }, len))
}
