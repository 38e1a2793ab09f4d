//! TLS as libpq's `sslmode` means it, with rustls.
//!
//! What each mode promises is libpq's table ("SSL Support" in the Postgres
//! manual): below `verify-ca` the server's certificate is not looked at, but
//! `require` with a root certificate file verifies as `verify-ca` does. A
//! server certificate that stands itself in the root certificate file is
//! trusted as it is: self-signed certificates are commonly set up so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use decant_core::error::{Error, ErrorKind, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted when the server insists.
    Allow,
    /// Encrypted when the server can.
    Prefer,
    /// Encrypted.
    Require,
    /// Encrypted, the certificate signed by a known authority.
    VerifyCa,
    /// And made out to this host.
    VerifyFull,
}

/// Which authorities are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootCertificates {
    /// Those of a PEM file.
    File(PathBuf),
    /// Those that the operating system trusts.
    System {
        /// By `sslrootcert=system`, rather than because nothing else is said.
        asked_for: bool,
    },
}

impl SslMode {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" | "true" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// Whether the server's certificate is looked at, with these roots.
    fn verifies(self, roots: &RootCertificates) -> bool {
        match self {
            Self::VerifyCa | Self::VerifyFull => true,
            Self::Require => matches!(roots, RootCertificates::File(_)),
            Self::Disable | Self::Allow | Self::Prefer => false,
        }
    }
}

/// Makes the TLS half of connections.
pub(crate) fn connector(
    mode: SslMode,
    roots: &RootCertificates,
    client: Option<&(PathBuf, PathBuf)>,
) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = if mode.verifies(roots) { Some(Trust::load(roots)?) } else { None };
    let verifier = Verifier {
        provider: Arc::clone(&provider),
        trust,
        checks_name: mode == SslMode::VerifyFull,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS cannot be set up").caused_by(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(read_certificates(certificate)?, read_key(key)?)
            .map_err(|error| unusable(certificate).caused_by(error))?,
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates that are believed.
#[derive(Debug)]
struct Trust {
    authorities: RootCertStore,
    /// Of the root certificate file, as they stand there.
    pinned: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn load(roots: &RootCertificates) -> Result<Self> {
        let mut authorities = RootCertStore::empty();
        match roots {
            RootCertificates::File(path) => {
                let pinned = read_certificates(path)?;
                authorities.add_parsable_certificates(pinned.iter().cloned());
                Ok(Self { authorities, pinned })
            }
            RootCertificates::System { .. } => {
                let found = rustls_native_certs::load_native_certs();
                authorities.add_parsable_certificates(found.certs);
                Ok(Self { authorities, pinned: Vec::new() })
            }
        }
    }

    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        provider: &CryptoProvider,
    ) -> Result<(), rustls::Error> {
        if self.pinned.iter().any(|pinned| pinned == certificate) {
            return Ok(());
        }
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(certificate)?,
            &self.authorities,
            intermediates,
            now,
            provider.signature_verification_algorithms.all,
        )
    }
}

/// Looks at as much of the server's certificate as the mode asks for. The
/// handshake's signatures are verified always.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    trust: Option<Trust>,
    checks_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trust) = &self.trust {
            trust.verify(end_entity, intermediates, now, &self.provider)?;
        }
        if self.checks_name {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path).caused_by(error))?;
    if certificates.is_empty() {
        return Err(unusable(path).with_hint("it must hold certificates in PEM"));
    }
    Ok(certificates)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| {
        unusable(path)
            .caused_by(error)
            .with_hint("it must hold a private key in PEM, without a passphrase")
    })
}

fn unusable(path: &Path) -> Error {
    let message = format!("the certificate file {} cannot be used", path.display());
    Error::new(ErrorKind::InvalidConfig, message)
}
