//! What must hold for any bytes at all.
//!
//! A target is a function that takes bytes and panics when something that
//! decant promises does not hold. The binary of this crate drives one of them
//! with mutated bytes; the tests run all of them over the seeds in `seeds/`,
//! one folder a target, so that what was once found stays found.
//!
//! Not here: whether values are right. That is the formats' own tests' work.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken promise is reported to the driver by a panic"
)]

mod compression;
mod decoded;
mod input;
mod keys;
mod text;

/// Something that must hold for any bytes.
pub struct Target {
    /// What it is called, and its folder of seeds.
    pub name: &'static str,
    /// Panics unless it holds.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target { name: "csv", check: text::csv },
    Target { name: "detection", check: text::detection },
    Target { name: "json", check: text::json },
    Target { name: "xml", check: text::xml },
    Target { name: "compression", check: compression::decompression },
    Target { name: "keys", check: keys::listed },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_seed_keeps_its_targets_promise() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        for target in &TARGETS {
            let folder = seeds.join(target.name);
            let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
            let mut count = 0;
            for file in files {
                let path = file.unwrap().path();
                eprintln!("{}", path.display());
                (target.check)(&fs::read(&path).unwrap());
                count += 1;
            }
            assert!(count > 0, "{} has no seeds", target.name);
        }
    }

    #[test]
    fn short_and_odd_bytes_keep_every_promise() {
        for target in &TARGETS {
            for bytes in [&b""[..], b"\0", b"\xff\xfe", b"\x1f\x8b", b"a,b\n1", &[b'['; 300]] {
                (target.check)(bytes);
            }
        }
    }
}
