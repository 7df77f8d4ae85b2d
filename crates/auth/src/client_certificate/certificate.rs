use std::{
    fmt::{self, Write},
    fs,
    path::Path,
};

use azml_core::{Error, ErrorKind, Result};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error as PemError, PemObject},
};
use serde_json::{Value, json};

use super::{NEW, invalid};

/// A certificate with its private key.
pub struct ClientCertificate {
    key: KeyPair,
    /// Its own first, then those that vouch for it.
    chain: Vec<CertificateDer<'static>>,
    is_chain_sent: bool,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.thumbprint())
            .field("is_chain_sent", &self.is_chain_sent)
            .finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// Reads the text of a PEM file that holds a private RSA key, not encrypted,
    /// and its certificate, in any order. Further certificates are those that
    /// vouch for it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) says what is missing or
    /// does not fit.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let pem = pem.as_ref();
        let has = |text: &str| pem.windows(text.len()).any(|it| it == text.as_bytes());
        if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED") {
            return Err(invalid(
                "certificate: the private key is encrypted; decrypt it with `openssl pkey -in FILE -out KEY`",
            ));
        }
        if !has("-----BEGIN ") {
            return Err(invalid(
                "certificate: is no PEM; convert a PFX with `openssl pkcs12 -in FILE -out FILE.pem -nodes`",
            ));
        }
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
            Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(_) => {
                return Err(invalid(
                    "certificate: the private key is no RSA key; Entra takes no other",
                ));
            }
            Err(PemError::NoItemsFound) => {
                return Err(invalid("certificate: has no private key; put it into the same file"));
            }
            Err(err) => return Err(unreadable(&err)),
        };
        let key = key.map_err(|err| {
            invalid(format!(
                "certificate: the private key is no RSA key of 2048 to 4096 bits ({err})"
            ))
        })?;
        let mut chain = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|err| unreadable(&err))?;
        if chain.is_empty() {
            return Err(invalid("certificate: is missing; put it into the same file as the key"));
        }
        // A certificate holds its public key to the letter.
        let public = key.public_key().as_ref();
        let own = chain.iter().position(|it| it.windows(public.len()).any(|part| part == public));
        let own = own.ok_or_else(|| {
            invalid(
                "certificate: belongs to another private key; give the two that belong together",
            )
        })?;
        chain[..=own].rotate_right(1);
        Ok(Self { key, chain, is_chain_sent: false })
    }

    /// Reads a PEM file, as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when it cannot be read or
    /// does not hold what it should.
    pub fn read(file: &Path) -> Result<Self> {
        let pem = fs::read(file).map_err(|err| {
            invalid(format!("certificate: cannot read {}: {err}", file.display())).with_source(err)
        })?;
        Self::from_pem(pem)
    }

    /// Sends the certificates along, so that Entra can go by the subject's name
    /// and issuer instead of the thumbprint it has been told.
    #[must_use]
    pub fn with_chain(self) -> Self {
        Self { is_chain_sent: true, ..self }
    }

    /// The SHA-256 of the certificate in hexadecimal digits, as the portal shows it.
    pub fn thumbprint(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.chain[0]);
        hash.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02X}");
            text
        })
    }

    fn header(&self) -> Value {
        let hash = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.chain[0]));
        let mut header = json!({
            "alg": "RS256",
            "typ": "JWT",
            // Older authorities (AD FS, Azure Stack) know only the first.
            "x5t": hash(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            "x5t#S256": hash(&digest::SHA256),
        });
        if self.is_chain_sent {
            header["x5c"] = self.chain.iter().map(|it| STANDARD.encode(it)).collect();
        }
        header
    }

    /// `claims` as a signed JSON Web Token.
    pub(super) fn sign(&self, claims: &Value) -> Result<String> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&self.header()), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| Error::explained(NEW, ErrorKind::Other, "the key does not sign"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn unreadable(err: &PemError) -> Error {
    invalid(format!("certificate: is no readable PEM: {err}"))
}
