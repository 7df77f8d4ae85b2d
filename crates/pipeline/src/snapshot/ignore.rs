//! Which files of a folder stay at home.
//!
//! The rules resemble git's but are not: only the file at the top counts, an
//! `.amlignore` hides a `.gitignore` altogether, nothing is ignored by default,
//! and a folder is tested by its bare path, so `d/` excludes what is in `d`
//! rather than `d`, and a later `!d/keep.txt` brings a file back.

use std::{fs, io, path::Path};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

const FILES: [&str; 2] = [".amlignore", ".gitignore"];

/// The rules of one folder, in the order of their lines.
#[derive(Debug, Default)]
pub(super) struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    excludes: bool,
    paths: GlobSet,
}

impl IgnoreRules {
    /// The rules that hold for `folder`; none without an ignore file.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        for name in FILES {
            match fs::read_to_string(folder.join(name)) {
                Ok(text) => return Ok(Self::parse(&text)),
                Err(err) if err.kind() == io::ErrorKind::NotFound => (),
                Err(err) => {
                    let path = folder.join(name);
                    return Err(io::Error::new(err.kind(), format!("{}: {err}", path.display())));
                }
            }
        }
        Ok(Self::default())
    }

    fn parse(text: &str) -> Self {
        Self { rules: text.lines().filter_map(Rule::parse).collect() }
    }

    /// Whether `path` (relative, with `/`) stays at home. The last rule wins.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let last = self.rules.iter().rev().find(|it| it.paths.is_match(path));
        last.is_some_and(|it| it.excludes)
    }
}

impl Rule {
    fn parse(line: &str) -> Option<Self> {
        let line = if line.ends_with("\\ ") { line.trim_start() } else { line.trim() };
        let (excludes, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (false, pattern),
            None => (true, line),
        };
        if pattern.is_empty() || pattern == "/" || pattern.starts_with('#') {
            return None;
        }
        let mut parts: Vec<_> = pattern.split('/').map(part_to_glob).collect();
        let below = parts.len() > 1 && parts.last().is_some_and(String::is_empty);
        if below {
            parts.pop();
        }
        if parts[0].is_empty() {
            parts.remove(0);
        } else if parts.len() == 1 {
            parts.insert(0, "**".to_owned());
        }
        let path = parts.join("/");
        let globs =
            if below { vec![format!("{path}/**")] } else { vec![format!("{path}/**"), path] };
        let mut paths = GlobSetBuilder::new();
        for glob in globs {
            paths.add(GlobBuilder::new(&glob).literal_separator(true).build().ok()?);
        }
        Some(Self { excludes, paths: paths.build().ok()? })
    }
}

/// One part of a path pattern, in the dialect of `globset`: braces mean
/// nothing in ignore files, and stars run together unless they stand alone.
fn part_to_glob(part: &str) -> String {
    if part == "**" {
        return part.to_owned();
    }
    let closed = part.find('[').is_none_or(|at| part[at..].contains(']'));
    let mut glob = String::with_capacity(part.len());
    for it in part.chars() {
        match it {
            '{' | '}' => glob.extend(['[', it, ']']),
            '[' if !closed => glob.push_str("[[]"),
            '*' if glob.ends_with('*') => (),
            _ => glob.push(it),
        }
    }
    glob
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
        ];
        for (pattern, path, excluded) in cases {
            assert_eq!(IgnoreRules::parse(pattern).excludes(path), excluded, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let rules = IgnoreRules::parse("*.txt\n!keep.txt\nkeep.txt\n!keep.txt");
        assert!(rules.excludes("lost.txt"));
        assert!(!rules.excludes("keep.txt"));
    }
}
