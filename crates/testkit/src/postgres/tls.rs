//! Certificates for a server that offers TLS, made by the `openssl` program:
//! an authority, and a leaf that it signed. (A self-signed leaf would not do:
//! strict clients refuse an authority as a server.)

use std::path::{Path, PathBuf};

use super::owner::Owner;

/// Lines of `postgresql.conf`, relative to the data folder.
pub(super) const SETTINGS: &str = "
ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
";

const NEW_KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/// Makes the certificates in `folder` and answers the authority's.
pub(super) fn issue(owner: &Owner, folder: &Path) -> PathBuf {
    let extensions = folder.join("extensions");
    std::fs::write(&extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        .expect("the extensions file");
    let openssl = |arguments: &str| {
        let (verb, rest) = arguments.split_once(' ').expect("a verb and its options");
        let mut command = owner.command("openssl", folder);
        command.arg(verb);
        if verb == "req" {
            command.args(NEW_KEY);
        }
        owner.run(command.args(rest.split(' ')));
    };
    openssl("req -x509 -days 2 -subj /CN=decant-tests -keyout ca.key -out ca.crt");
    openssl("req -subj /CN=localhost -keyout server.key -out server.csr");
    openssl(
        "x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
         -extfile extensions -out server.crt",
    );
    folder.join("ca.crt")
}
