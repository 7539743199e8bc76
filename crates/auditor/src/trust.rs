//! TLS with the certificate authorities that the system trusts. What comes over it is checked by
//! its signatures afterwards; TLS keeps it, and passwords, from others.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The configuration for all connections.
pub fn tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read vouch for nobody.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
