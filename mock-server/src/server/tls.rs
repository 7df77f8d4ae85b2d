//! The certificate authority of a mock cloud, and a certificate for each name
//! under which a client greets it.

use std::{
    collections::HashMap,
    fs, io,
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use time::Duration;

use crate::kernel::{clock, ids};

/// The certificate, for clients to trust.
const CERTIFICATE: &str = "ca.pem";

/// The key, for nobody else to read.
const KEY: &str = "ca.key";

/// How many names are remembered before all are forgotten: a client may greet
/// with any name.
const REMEMBERED: usize = 512;

/// Signs a certificate for each name that is asked for, when it is asked for.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    file: PathBuf,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    configs: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Authority {
    /// Uses the authority in `folder`, or makes one there.
    pub(crate) fn in_folder(folder: &Path) -> io::Result<Self> {
        let (file, key_file) = (folder.join(CERTIFICATE), folder.join(KEY));
        if file.exists() || key_file.exists() {
            return Self::load(file, &key_file);
        }
        fs::create_dir_all(folder)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = params(&key);
        let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        // The key first: a certificate without its key would stop the next start.
        write_secret(&key_file, key.serialize_pem().as_bytes())?;
        fs::write(&file, &pem)?;
        Ok(Self::new(Issuer::new(params, key), pem, file))
    }

    fn load(file: PathBuf, key_file: &Path) -> io::Result<Self> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|err| {
                let text = format!("{}: {err}; remove both files to get new ones", path.display());
                io::Error::new(err.kind(), text)
            })
        };
        let (pem, key) = (read(&file)?, read(key_file)?);
        let key = KeyPair::from_pem(&key)
            .map_err(|err| io::Error::other(format!("{}: {err}", key_file.display())))?;
        let params = params(&key);
        let is_ours = rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).is_ok_and(
            |it: CertificateDer<'_>| {
                contains(&it, key.public_key_raw()) && contains(&it, name_of(&key).as_bytes())
            },
        );
        if !is_ours {
            let text = format!(
                "{} was not made by azml-mock from the key beside it; use another folder, or remove both files",
                file.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Self::new(Issuer::new(params, key), pem, file))
    }

    fn new(issuer: Issuer<'static, KeyPair>, pem: String, file: PathBuf) -> Self {
        Self { issuer, pem, file, leaves: Mutex::default(), configs: Mutex::default() }
    }

    /// The certificate that clients must trust.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Where that certificate lies.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// How to answer a TLS connection. `name` is the name or address for which
    /// the client came, in case that it does not say.
    pub(crate) fn config(self: &Arc<Self>, name: &str) -> io::Result<Arc<ServerConfig>> {
        if let Some(config) = self.configs.lock().get(name) {
            return Ok(config.clone());
        }
        let resolver = Resolver { authority: self.clone(), name: name.to_owned() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        remember(&self.configs, name, config.clone());
        Ok(config)
    }

    fn leaf(&self, name: &str) -> io::Result<Arc<CertifiedKey>> {
        if let Some(leaf) = self.leaves.lock().get(name) {
            return Ok(leaf.clone());
        }
        let leaf = Arc::new(self.sign(name)?);
        remember(&self.leaves, name, leaf.clone());
        Ok(leaf)
    }

    fn sign(&self, name: &str) -> io::Result<CertifiedKey> {
        // Whoever comes by address may check the address or what it calls this machine.
        let mut names = vec![name.to_owned()];
        if name.parse::<IpAddr>().is_ok() {
            let local = ["127.0.0.1", "::1", "localhost"];
            names.extend(local.iter().filter(|it| **it != name).map(|it| (*it).to_owned()));
        }
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        let now = clock::wall();
        (params.not_before, params.not_after) = (now - Duration::DAY, now + Duration::days(397));
        params.distinguished_name = DistinguishedName::new();
        // A common name has at most 64 characters.
        params.distinguished_name.push(DnType::CommonName, &name[..name.len().min(64)]);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![leaf.der().clone()];
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(io::Error::other)
    }
}

fn remember<T>(cache: &Mutex<HashMap<String, T>>, name: &str, value: T) {
    let mut cache = cache.lock();
    if REMEMBERED <= cache.len() {
        cache.clear();
    }
    cache.insert(name.to_owned(), value);
}

/// All of the authority's certificate that is not its key follows from its key,
/// so that a stored key is enough to sign again.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let now = clock::wall();
    (params.not_before, params.not_after) = (now - Duration::DAY, now + Duration::days(3650));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name_of(key));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Each authority has a name of its own: OpenSSL finds issuers by name, so two
/// of one name in one bundle would hide each other.
fn name_of(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.public_key_raw());
    format!("azml-mock test authority {}", ids::hex(&digest[..4]))
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|it| it == part)
}

/// Writes a file that nobody else may read.
fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// Shows the certificate of the name that the client greets with.
#[derive(Debug)]
struct Resolver {
    authority: Arc<Authority>,
    name: String,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(&self.name).to_ascii_lowercase();
        let leaf = self.authority.leaf(&name);
        leaf.inspect_err(|err| tracing::warn!(%name, %err, "no certificate could be made")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_lies_in_the_folder_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::in_folder(folder.path()).unwrap();
        let second = Authority::in_folder(folder.path()).unwrap();
        assert_eq!(first.pem(), second.pem());
        assert_eq!(first.issuer.key().serialize_der(), second.issuer.key().serialize_der());
        assert_eq!(first.file(), folder.path().join("ca.pem"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Authority::in_folder(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_certificate_that_does_not_fit_its_key_is_refused() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Authority::in_folder(one.path()).unwrap();
        Authority::in_folder(other.path()).unwrap();
        fs::copy(one.path().join("ca.pem"), other.path().join("ca.pem")).unwrap();
        let err = Authority::in_folder(other.path()).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_name_gets_one_certificate_however_often_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::in_folder(folder.path()).unwrap();
        let one = authority.leaf("management.azure.com").unwrap();
        assert!(Arc::ptr_eq(&one, &authority.leaf("management.azure.com").unwrap()));
        assert!(!Arc::ptr_eq(&one, &authority.leaf("127.0.0.1").unwrap()));
    }
}
