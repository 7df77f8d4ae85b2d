//! The public key in a certificate: all that is needed to check a signature.

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;
use serde::{Deserialize, Serialize};

/// A certificate of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// SHA-1 of the certificate, as `x5t` writes it.
    thumbprint: String,
    /// SHA-256 of the certificate, as `x5t#S256` writes it.
    thumbprint_sha256: String,
    /// The key as ASN.1 writes an `RSAPublicKey`.
    pub(super) public_key: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate in `pem`.
    pub(in super::super) fn from_pem(pem: &str) -> Result<Self, String> {
        let body = pem
            .split_once("-----BEGIN CERTIFICATE-----")
            .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"))
            .map(|(body, _)| body.split_whitespace().collect::<String>())
            .ok_or("there is no CERTIFICATE in the PEM text")?;
        let der =
            STANDARD.decode(body).map_err(|err| format!("the certificate is broken: {err}"))?;
        let key = rsa_public_key(&der).ok_or("the certificate holds no RSA key")?;
        let hashed = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &der));
        Ok(Self {
            thumbprint: hashed(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            thumbprint_sha256: hashed(&digest::SHA256),
            public_key: key.to_vec(),
        })
    }

    /// Whether the header of an assertion names this certificate.
    pub(super) fn is_named(&self, sha1: Option<&str>, sha256: Option<&str>) -> bool {
        let is = |named: Option<&str>, own: &str| {
            named.is_some_and(|it| it.trim_end_matches('=') == own)
        };
        is(sha1, &self.thumbprint) || is(sha256, &self.thumbprint_sha256)
    }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;
/// The object id 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Splits the first element off: its tag, its content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if 4 < digits.len() {
            return None;
        }
        (digits.iter().fold(0, |it, digit| it << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn expect(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|it| it.0 == tag).map(|(_, content, rest)| (content, rest))
}

/// Walks to the key: certificate, to be signed, subject's key, bits.
fn rsa_public_key(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut fields, _) = expect(SEQUENCE, certificate)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm, issuer, validity, subject.
    for _ in 0..5 {
        fields = element(fields)?.2;
    }
    let (key, _) = expect(SEQUENCE, fields)?;
    let (algorithm, bits) = expect(SEQUENCE, key)?;
    let (bits, _) = expect(BIT_STRING, bits)?;
    // The first byte counts the bits that are left over: none.
    algorithm.starts_with(RSA).then_some(bits.get(1..)).flatten()
}
