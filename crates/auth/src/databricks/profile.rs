//! Profiles in `.databrickscfg`.

use std::path::{Path, PathBuf};

use azml_core::{Error, Result};
use ini::{Ini, ParseOption};

const READ: &str = "auth.databricks_profile";

/// The profile that is used when none is named.
pub(super) const DEFAULT: &str = "DEFAULT";

/// The file of profiles of the person who runs the program.
pub(super) fn default_file(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
    Some(Path::new(&home).join(".databrickscfg"))
}

/// The settings of one profile. `None`: there is no such file or profile.
pub(super) fn read(file: &Path, profile: &str) -> Result<Option<Vec<(String, String)>>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => {
            let reason = format!("config file: {} cannot be read: {err}", file.display());
            return Err(Error::invalid(READ, reason));
        }
    };
    parse(&text, profile).map_err(|why| {
        let reason = format!("config file: {} is no list of profiles: {why}", file.display());
        Error::invalid(READ, reason)
    })
}

fn parse(text: &str, profile: &str) -> Result<Option<Vec<(String, String)>>, String> {
    // Tokens and Windows paths stay as they are, but for a backslash at the end of
    // a line, which goes on in the next.
    let options =
        ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    let ini = Ini::load_from_str_opt(text, options).map_err(|err| err.to_string())?;
    let Some(section) = ini.section(Some(profile)) else { return Ok(None) };
    let pairs = section.iter().map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    Ok(Some(pairs.collect()))
}

/// Writing is for tests only.
#[cfg(test)]
pub(super) fn write(profile: &str, settings: &[(String, String)]) -> String {
    let mut ini = Ini::new();
    for (key, value) in settings {
        ini.with_section(Some(profile)).set(key.as_str(), value.as_str());
    }
    let mut bytes = Vec::new();
    ini.write_to_policy(&mut bytes, ini::EscapePolicy::Nothing).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "; a remark\n\
        [DEFAULT]\nhost = https://adb-1.test\ntoken = dapi-fake\n\n\
        # another\n[other]\nhost: adb-2.test\nclient_id=id = with equals\nazure_tenant_id = \n\
        profile_dir = C:\\Users\\a\n";

    #[test]
    fn a_profile_is_read_as_it_is_and_inherits_nothing() {
        let pairs = |profile: &str| parse(TEXT, profile).unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            pairs("DEFAULT"),
            Some(vec![pair("host", "https://adb-1.test"), pair("token", "dapi-fake")])
        );
        assert_eq!(
            pairs("other"),
            Some(vec![
                pair("host", "adb-2.test"),
                pair("client_id", "id = with equals"),
                pair("azure_tenant_id", ""),
                pair("profile_dir", "C:\\Users\\a"),
            ])
        );
        assert_eq!(pairs("none"), None);
    }

    #[test]
    fn what_is_no_list_of_profiles_is_told_with_its_line() {
        let err = parse("[a]\nno value\n", "a").unwrap_err();
        assert!(err.starts_with('2') || err.starts_with('3'), "{err}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            settings in prop::collection::btree_map("[a-z_]{1,12}", "[a-zA-Z0-9:/.\\\\+=_-]{0,40}[a-zA-Z0-9=]", 1..6),
        ) {
            let settings: Vec<_> = settings.into_iter().collect();
            let text = write("p", &settings);
            prop_assert_eq!(parse(&text, "p").unwrap(), Some(settings));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse(&text, "DEFAULT");
        }
    }
}
