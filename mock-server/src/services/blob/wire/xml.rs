//! XML by hand: the service uses little of it.

use std::fmt::Write;

use super::super::state::ListedIn;

/// `text` with what XML gives a meaning to escaped.
pub(in super::super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(it),
        }
    }
    out
}

/// A document that grows element by element.
#[derive(Debug)]
pub(in super::super) struct Document(String);

impl Document {
    pub(in super::super) fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned())
    }

    pub(in super::super) fn open(&mut self, tag: &str) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "<{tag}>");
        self
    }

    pub(in super::super) fn close(&mut self, tag: &str) -> &mut Self {
        let _ = write!(self.0, "</{tag}>");
        self
    }

    pub(in super::super) fn element(&mut self, tag: &str, text: &str) -> &mut Self {
        if text.is_empty() {
            let _ = write!(self.0, "<{tag} />");
        } else {
            let _ = write!(self.0, "<{tag}>{}</{tag}>", escaped(text));
        }
        self
    }

    /// The name of a blob. What XML cannot say at all goes percent-encoded.
    pub(in super::super) fn name(&mut self, name: &str) -> &mut Self {
        if name.chars().any(|it| it.is_control() || matches!(it, '\u{fffe}' | '\u{ffff}')) {
            let name =
                percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
            let _ = write!(self.0, "<Name Encoded=\"true\">{name}</Name>");
            return self;
        }
        self.element("Name", name)
    }

    pub(in super::super) fn finish(self) -> String {
        self.0
    }
}

/// Reads `<BlockList>` with its `<Latest>`, `<Uncommitted>` and `<Committed>`.
pub(in super::super) fn block_list(text: &str) -> Result<Vec<(ListedIn, String)>, String> {
    let malformed = || "the body is no BlockList".to_owned();
    let (_, rest) = text.split_once("<BlockList").ok_or_else(malformed)?;
    let (_, mut rest) = rest.split_once('>').ok_or_else(malformed)?;
    let mut list = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.starts_with("</BlockList") || rest.is_empty() {
            return Ok(list);
        }
        let (tag, after) =
            rest.strip_prefix('<').and_then(|it| it.split_once('>')).ok_or_else(malformed)?;
        let from = match tag.trim() {
            "Latest" => ListedIn::Latest,
            "Uncommitted" => ListedIn::Uncommitted,
            "Committed" => ListedIn::Committed,
            other => return Err(format!("a BlockList has no <{other}>")),
        };
        let end = format!("</{}>", tag.trim());
        let (id, after) = after.split_once(end.as_str()).ok_or_else(malformed)?;
        list.push((from, id.trim().to_owned()));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_list_names_where_each_block_is() {
        let text = "<?xml version='1.0'?>\n<BlockList>\n <Latest>QQ==</Latest><Committed>Qg==</Committed></BlockList>";
        let wanted =
            vec![(ListedIn::Latest, "QQ==".to_owned()), (ListedIn::Committed, "Qg==".to_owned())];
        assert_eq!(block_list(text), Ok(wanted));
        assert_eq!(block_list("<BlockList></BlockList>"), Ok(Vec::new()));
        assert!(block_list("<BlockList><Newest>a</Newest></BlockList>").is_err());
        assert!(block_list("{}").is_err());
    }
}
