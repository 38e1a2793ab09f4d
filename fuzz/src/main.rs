//! Drives one fuzz target, named by the variable `DECANT_FUZZ_TARGET`.
//!
//! `cargo xtask fuzz` builds it with coverage and LLVM's driver. Any other
//! build has a plain `main`, which runs the target over files, to look into
//! what the driver has found: `decant-fuzz FILE...`
#![cfg_attr(fuzzing, no_main)]

/// Names the target.
const TARGET: &str = "DECANT_FUZZ_TARGET";

fn named() -> Result<&'static decant_fuzz::Target, String> {
    let name = std::env::var(TARGET).unwrap_or_default();
    decant_fuzz::target(&name).ok_or_else(|| {
        let names: Vec<&str> = decant_fuzz::TARGETS.iter().map(|target| target.name).collect();
        format!("set {TARGET} to one of {}", names.join(", "))
    })
}

#[cfg(fuzzing)]
mod driven {
    use std::sync::OnceLock;

    static CHECK: OnceLock<fn(&[u8])> = OnceLock::new();

    fn check(bytes: &[u8]) {
        let check = CHECK.get_or_init(|| match super::named() {
            Ok(target) => target.check,
            Err(_) => std::process::abort(),
        });
        check(bytes);
    }

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
}

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    use std::io::Write;

    let told = named().and_then(|target| {
        for file in std::env::args().skip(1) {
            let bytes = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
            (target.check)(&bytes);
        }
        Ok(())
    });
    match told {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}
