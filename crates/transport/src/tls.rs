//! TLS 1.3 with raw public keys on both sides: no names, no certificates, no session resumption.

use std::{sync::Arc, time::Instant};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::TLS13,
};

use crate::{
    directory::Directory,
    key::{Key, Seed, certified_key, key_of_spki},
};

/// The only protocol spoken inside TLS.
const ALPN: &[u8] = b"h2";

/// TLS for calling the holder of `server` with the key of `seed`.
pub(crate) fn client_config(seed: &Seed, server: Key) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let key = certified_key(seed, &provider)?;
    let verifier = Pin {
        trusted: server,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// TLS for serving exactly the callers that `directory` knows at the time of their handshake.
pub(crate) fn server_config(seed: &Seed, directory: Arc<Directory>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let key = certified_key(seed, &provider)?;
    let verifier = Pin {
        trusted: directory,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would skip the check of the client's key.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// Verifies that the other side holds a key that `T` trusts.
#[derive(Debug)]
struct Pin<T> {
    trusted: T,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The shown key; any other key type or form is refused.
fn shown_key(spki: &CertificateDer<'_>) -> Result<Key, Error> {
    key_of_spki(spki).ok_or(REFUSED)
}

/// Becomes the alert access_denied on the wire.
pub(crate) const REFUSED: Error =
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

impl<T> Pin<T> {
    /// Checks that the handshake was signed with the shown key.
    fn check_signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(spki.as_ref()),
            signature,
            &self.algorithms,
        )
    }
}

fn no_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("only TLS 1.3 is spoken".into()))
}

impl ServerCertVerifier for Pin<Key> {
    fn verify_server_cert(
        &self,
        spki: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if shown_key(spki)? == self.trusted {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(REFUSED)
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, spki, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Pin<Arc<Directory>> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        spki: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.trusted.caller(&shown_key(spki)?, Instant::now()) {
            Some(_) => Ok(ClientCertVerified::assertion()),
            None => Err(REFUSED),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, spki, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// The key that the client of a finished handshake proved.
pub(crate) fn client_key(connection: &rustls::ServerConnection) -> Option<Key> {
    key_of_spki(connection.peer_certificates()?.first()?)
}
