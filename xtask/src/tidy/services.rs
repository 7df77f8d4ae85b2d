//! Rule on the mock cloud: a service is a folder of the same five names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Tree};

const ROOT: &str = "mock-server/src/services/";
const NAMES: &[&str] = &["mod", "routes", "wire", "state", "tests"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let mut folders: BTreeMap<String, Entries> = BTreeMap::new();
    for file in tree.below(ROOT).filter(|file| file.is("rs")) {
        let inside = &file.path[ROOT.len()..];
        let parts: Vec<_> = inside.split('/').collect();
        let mut folder = String::new();
        for (depth, part) in parts.iter().enumerate() {
            let entries = folders.entry(folder.clone()).or_default();
            if depth + 1 == parts.len() {
                entries.files.insert(part.trim_end_matches(".rs").to_owned());
                break;
            }
            entries.folders.insert((*part).to_owned());
            // What a large part is divided into is its own affair.
            if NAMES.contains(part) {
                break;
            }
            folder =
                if folder.is_empty() { (*part).to_owned() } else { format!("{folder}/{part}") };
        }
    }
    for (folder, entries) in &folders {
        entries.check(format!("{ROOT}{folder}").trim_end_matches('/'), findings);
    }
}

#[derive(Default)]
struct Entries {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Entries {
    fn check(&self, folder: &str, findings: &mut Findings) {
        let all: BTreeSet<_> = self.files.union(&self.folders).map(String::as_str).collect();
        let is_service = NAMES[1..].iter().any(|name| all.contains(name));
        if !is_service {
            self.check_group(folder, findings);
            return;
        }
        for name in NAMES {
            if !all.contains(name) {
                findings.error(folder, format_args!("a service without {name}.rs"));
            }
        }
        for name in all {
            if !NAMES.contains(&name) {
                findings
                    .error(folder, format_args!("{name} is none of the five names of a service"));
            }
        }
    }

    fn check_group(&self, folder: &str, findings: &mut Findings) {
        if !self.files.contains("mod") {
            findings.error(folder, "a group without mod.rs");
        }
        for name in self.files.iter().filter(|name| *name != "mod") {
            findings.error(
                folder,
                format_args!("{name}.rs: a group has only mod.rs and the folders of its services"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::tree, *};

    #[test]
    fn a_service_has_five_names_and_a_group_has_only_folders() {
        let mut findings = Findings::default();
        let mut files = vec![
            ("mock-server/src/services/mod.rs", ""),
            ("mock-server/src/services/databricks/mod.rs", ""),
            ("mock-server/src/services/databricks/refusal.rs", ""),
        ];
        for path in ["mod.rs", "routes.rs", "state/mod.rs", "state/anything.rs", "extra.rs"] {
            files.push((
                Box::leak(format!("mock-server/src/services/databricks/jobs/{path}").into()),
                "",
            ));
        }
        for path in ["mod.rs", "routes.rs", "wire.rs", "state.rs", "tests.rs"] {
            files.push((Box::leak(format!("mock-server/src/services/arm/{path}").into()), ""));
        }
        check(&tree(&files), &mut findings);
        assert_eq!(
            findings.errors,
            [
                "mock-server/src/services/databricks: refusal.rs: a group has only mod.rs and the \
                 folders of its services",
                "mock-server/src/services/databricks/jobs: a service without wire.rs",
                "mock-server/src/services/databricks/jobs: a service without tests.rs",
                "mock-server/src/services/databricks/jobs: extra is none of the five names of a \
                 service",
            ]
        );
    }
}
