//! Which files of a folder stay at home.
//!
//! The rules resemble git's but are not: only the file at the top counts, an
//! `.amlignore` hides a `.gitignore` altogether, nothing is ignored by default,
//! and a folder is tested by its bare path, so `d/` excludes what is in `d`
//! rather than `d`, and a later `!d/keep.txt` brings a file back.

mod pattern;

use std::{fs, io, path::Path};

use regex::Regex;

const FILES: [&str; 2] = [".amlignore", ".gitignore"];

/// The rules of one folder, in the order of their lines.
#[derive(Debug, Default)]
pub(super) struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    excludes: bool,
    paths: Regex,
}

impl IgnoreRules {
    /// The rules that hold for `folder`; none without an ignore file.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read, and on a rule that the official SDK does not
    /// take either; the text names file and line.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        for name in FILES {
            let path = folder.join(name);
            let at =
                |err: io::Error| io::Error::new(err.kind(), format!("{}: {err}", path.display()));
            match fs::read_to_string(&path) {
                Ok(text) => return Self::parse(&text).map_err(at),
                Err(err) if err.kind() == io::ErrorKind::NotFound => (),
                Err(err) => return Err(at(err)),
            }
        }
        Ok(Self::default())
    }

    fn parse(text: &str) -> io::Result<Self> {
        let mut rules = Vec::new();
        // A carriage return ends a line by itself, too.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let rule = Rule::parse(line).map_err(|reason| {
                let words = format!("line {}: {reason}: {:?}", number + 1, line.trim_end());
                io::Error::new(io::ErrorKind::InvalidData, words)
            })?;
            rules.extend(rule);
        }
        Ok(Self { rules })
    }

    /// Whether `path` (relative, with `/`) stays at home. The last rule wins.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let last = self.rules.iter().rev().find(|it| it.paths.is_match(path));
        last.is_some_and(|it| it.excludes)
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        // Only the last line of a file has no end, and keeps a space that is escaped.
        let line = if line.ends_with("\\ ") {
            line.trim_start_matches(is_space)
        } else {
            line.trim_matches(is_space)
        };
        if line.is_empty() || line == "/" || line.starts_with('#') {
            return Ok(None);
        }
        let (excludes, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (false, pattern),
            None => (true, line),
        };
        let paths = pattern::to_regex(pattern)?;
        let paths = Regex::new(&paths).map_err(|err| err.to_string())?;
        Ok(Some(Self { excludes, paths }))
    }
}

/// What Python strips from a text.
fn is_space(it: char) -> bool {
    it.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_the_official_sdk() {
        // Pattern, path, whether it is excluded.
        let cases = [
            ("*.log", "a.log", true),
            ("*.log", "x/a.log", true),
            ("/a", "a", true),
            ("/a", "x/a", false),
            ("a/b", "a/b", true),
            ("a/b", "x/a/b", false),
            ("a/b", "a/b/c", true),
            ("a", "x/a/b", true),
            ("d/", "d", false),
            ("d/", "d/x", true),
            ("d/", "x/d/y", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("**/c", "x/c", true),
            ("# a", "a", false),
            ("\\#a", "#a", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("x[0-9]", "x5", true),
            ("x[!0-9]", "x5", false),
            ("x[", "x[", true),
            ("a*", "a/b", true),
            ("*", "a", true),
            ("/", "a", false),
            ("?.csv", "ä.csv", true),
            ("[!a]", "数", true),
            ("[!a]", "a", false),
            ("[!a]b", "x/b", false),
            ("x[!a]b", "x/b", true),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[é-ü]", "ö", true),
            ("[[x]", "[", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*/", "a", false),
            ("*/", "a/b", true),
            ("**", "a/b", true),
            ("**/", "a", false),
            ("**/", "a/b", true),
            ("a//b", "a/b", false),
            ("a**b", "axyb", true),
            ("a**b", "ax/yb", false),
            ("  a\t", "a", true),
        ];
        for (pattern, path, excluded) in cases {
            assert_eq!(
                IgnoreRules::parse(pattern).unwrap().excludes(path),
                excluded,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let rules = IgnoreRules::parse("*.txt\n!keep.txt\nkeep.txt\n!keep.txt").unwrap();
        assert!(rules.excludes("lost.txt"));
        assert!(!rules.excludes("keep.txt"));
    }

    #[test]
    fn lines_end_as_in_python() {
        let rules = IgnoreRules::parse("a\rb\r\nc\nd").unwrap();
        assert!(["a", "b", "c", "d"].iter().all(|it| rules.excludes(it)));
    }

    #[test]
    fn a_rule_that_means_nothing_is_an_error_with_its_line() {
        let refusal = |text: &str| IgnoreRules::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!(refusal("a\nb\\\n"), @r#"line 2: nothing follows the backslash at the end: "b\\""#);
        insta::assert_snapshot!(refusal("!"), @r#"line 1: the rule has no pattern: "!""#);
        insta::assert_snapshot!(refusal("[z-a]"), @r#"line 1: the range z-a is the wrong way round: "[z-a]""#);
    }
}
