//! What a child may know of the environment of the mock: where programs are,
//! and nothing else.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// Without these no interpreter and no JVM is found.
const PASSED_ON: &[&str] = &["PATH", "JAVA_HOME"];

/// What `pip` needs to find its packages, beside what every child gets.
const FOR_PIP: &[&str] = &[
    "HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
];

/// Where the authorities are that this machine trusts.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Writes the authorities that this machine trusts, and that of the mock, into
/// one file, since programs take only one.
pub(super) fn write_bundle(ca_file: &Path, bundle: &Path) -> io::Result<()> {
    let named = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"].iter().filter_map(std::env::var_os);
    let known = named.map(PathBuf::from).chain(BUNDLES.iter().map(PathBuf::from));
    // A machine may trust nobody.
    let mut text = known.map(fs::read).find_map(Result::ok).unwrap_or_default();
    text.push(b'\n');
    text.extend(fs::read(ca_file)?);
    let partial = bundle.with_extension("partial");
    fs::write(&partial, text)?;
    fs::rename(partial, bundle)
}

pub(super) type Environment = BTreeMap<OsString, OsString>;

fn passed_on(names: &[&str]) -> Environment {
    let found = names.iter().filter_map(|it| Some(((*it).into(), std::env::var_os(it)?)));
    found.collect()
}

/// The environment of a task or of a cluster's JVM.
pub(super) fn of_task(
    home: &Path,
    ca_file: Option<&Path>,
    own: &BTreeMap<String, String>,
) -> Environment {
    let mut it = passed_on(PASSED_ON);
    for (name, value) in [("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PYTHONUNBUFFERED", "1")] {
        it.insert(name.into(), value.into());
    }
    it.insert("HOME".into(), home.into());
    if let Some(file) = ca_file {
        it.insert("SSL_CERT_FILE".into(), file.into());
        it.insert("REQUESTS_CA_BUNDLE".into(), file.into());
    }
    it.extend(own.iter().map(|(name, value)| (name.into(), value.into())));
    it
}

/// The environment of `pip`: the user's own settings hold.
pub(super) fn of_pip() -> Environment {
    let mut it = passed_on(PASSED_ON);
    it.extend(passed_on(FOR_PIP));
    let is_pips = |name: &OsString| name.to_string_lossy().starts_with("PIP_");
    it.extend(std::env::vars_os().filter(|(name, _)| is_pips(name)));
    it
}
