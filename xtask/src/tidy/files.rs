//! Rules on single files: length, names, unfinished code, printing, paths of one machine.

use super::{Findings, TextFile, Tree};

const WARN_LINES: usize = 400;
const MOST_LINES: usize = 600;

/// Names that say nothing, so that everything ends up there.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

/// Each with what to do instead.
const UNFINISHED: &[(&str, &str)] = &[
    ("todo!(", "finish it or leave it out"),
    ("unimplemented!(", "finish it or leave it out"),
    ("#[ignore", "mend the test or delete it"),
];

const PRINTS: &[&str] = &["println!(", "print!(", "eprintln!(", "eprint!("];

pub(super) fn check(tree: &Tree, machine_paths: &[String], findings: &mut Findings) {
    for file in tree.rust() {
        length(file, findings);
        names(file, findings);
        code(file, findings);
    }
    for file in &tree.files {
        // This rule has to name what it looks for.
        if file.path != "xtask/src/tidy.rs" && file.path != "xtask/src/tidy/files.rs" {
            paths(file, machine_paths, findings);
        }
    }
}

fn length(file: &TextFile, findings: &mut Findings) {
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        findings.error(&file.path, format_args!("{lines} lines, {MOST_LINES} are the limit"));
    } else if lines > WARN_LINES {
        findings.warning(&file.path, format_args!("{lines} lines, should be below {WARN_LINES}"));
    }
}

fn names(file: &TextFile, findings: &mut Findings) {
    for part in file.parts() {
        let name = part.strip_suffix(".rs").unwrap_or(part);
        if EMPTY_NAMES.contains(&name) {
            findings.error(&file.path, format_args!("{name} says nothing about what is inside"));
        }
    }
}

fn code(file: &TextFile, findings: &mut Findings) {
    let source = file.source();
    for (needle, remedy) in UNFINISHED {
        for line in source.lines_with(needle) {
            findings
                .error(format_args!("{}:{line}", file.path), format_args!("{needle}: {remedy}"));
        }
    }
    // Where a program has to print, it tells clippy why; then this is content too.
    if is_library(&file.path) && !source.code.contains("expect(clippy::print_std") {
        for needle in PRINTS {
            for (at, _) in source.code.match_indices(needle) {
                // "println!(" is in "eprintln!(" too.
                if source.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_') {
                    continue;
                }
                findings.error(
                    format_args!("{}:{}", file.path, source.line_of(at)),
                    format_args!("{needle}: a library does not print"),
                );
            }
        }
    }
}

fn is_library(path: &str) -> bool {
    let inside =
        (path.starts_with("crates/") || path.starts_with("mock-server/")) && path.contains("/src/");
    inside && !path.ends_with("/main.rs") && !path.contains("/bin/") && !path.contains("/cli/")
}

fn paths(file: &TextFile, machine_paths: &[String], findings: &mut Findings) {
    for (number, line) in file.text.lines().enumerate() {
        let found = machine_paths.iter().find(|beginning| {
            line.match_indices(beginning.as_str()).any(|(at, _)| begins_path(&line[..at]))
        });
        if let Some(beginning) = found {
            findings.error(
                format_args!("{}:{}", file.path, number + 1),
                format_args!("{beginning}... is a path of one machine"),
            );
        }
    }
}

/// Whether a path can begin here, rather than go on: `dbfs:/home/` is Databricks' own.
fn begins_path(before: &str) -> bool {
    let before = before.strip_suffix("file://").unwrap_or(before);
    before.chars().next_back().is_none_or(|it| it.is_whitespace() || "\"'`=(<[,".contains(it))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::tree, *};

    fn errors(files: &[(&str, &str)]) -> Vec<String> {
        let mut findings = Findings::default();
        check(&tree(files), &["/home/".to_owned(), "/x/azml/".to_owned()], &mut findings);
        findings.errors
    }

    #[test]
    fn long_files_are_warned_of_and_then_refused() {
        let mut findings = Findings::default();
        let files = [("a.rs", "//\n".repeat(401)), ("b.rs", "//\n".repeat(601))];
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        check(&tree(&files), &[], &mut findings);
        assert_eq!(findings.warnings, ["a.rs: 401 lines, should be below 400"]);
        assert_eq!(findings.errors, ["b.rs: 601 lines, 600 are the limit"]);
    }

    #[test]
    fn unfinished_code_and_idle_tests_are_found_but_not_in_comments() {
        let text = "// todo!()\nfn a() { todo!() }\n#[ignore = \"slow\"]\nfn b() {}\n";
        assert_eq!(
            errors(&[("crates/core/src/a.rs", text)]),
            [
                "crates/core/src/a.rs:2: todo!(: finish it or leave it out",
                "crates/core/src/a.rs:3: #[ignore: mend the test or delete it"
            ]
        );
    }

    #[test]
    fn only_programs_and_files_that_say_why_may_print() {
        let text = "fn a() { eprintln!(\"{}\", 1) }\n";
        let reasoned = format!("#![expect(clippy::print_stderr, reason = \"x\")]\n{text}");
        assert_eq!(
            errors(&[
                ("crates/core/src/a.rs", text),
                ("crates/cli/src/main.rs", text),
                ("mock-server/src/run.rs", &reasoned),
                ("crates/azml/examples/wine.rs", text),
            ]),
            ["crates/core/src/a.rs:1: eprintln!(: a library does not print"]
        );
    }

    #[test]
    fn a_file_is_named_after_what_is_in_it() {
        assert_eq!(
            errors(&[("crates/core/src/helpers.rs", "")]),
            ["crates/core/src/helpers.rs: helpers says nothing about what is inside"]
        );
    }

    #[test]
    fn paths_of_one_machine_are_found_but_not_those_of_databricks() {
        assert_eq!(
            errors(&[
                ("README.md", "see\n`/home/me/azml` and /x/azml/src\n"),
                ("docs/a.md", "dbfs:/home/x, https://h.test/home/y\n"),
                ("docs/b.md", "[a](file:///home/me)\n"),
            ]),
            [
                "README.md:2: /home/... is a path of one machine",
                "docs/b.md:1: /home/... is a path of one machine"
            ]
        );
    }
}
