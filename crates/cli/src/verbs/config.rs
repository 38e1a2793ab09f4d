//! `decant config`: describe, begin or check a configuration file.

use decant::config::{check, example, schema};
use decant::core::Result;

use super::{refused, with_vocabulary};
use crate::args::{ConfigVerb, GlobalArgs};
use crate::exit::Exit;
use crate::output::print;

/// Prints what was asked for.
pub(crate) fn run(verb: ConfigVerb, global: &GlobalArgs) -> Result<Exit> {
    match verb {
        ConfigVerb::Schema => print(&schema())?,
        ConfigVerb::Example => print(example())?,
        ConfigVerb::Check => {
            let checked = with_vocabulary(|vocabulary| {
                check(&global.document()?, &global.overrides(), vocabulary)
            });
            match checked {
                Ok(meaning) => print(&meaning)?,
                Err(error) => return Ok(refused(&error)),
            }
        }
    }
    Ok(Exit::Ok)
}
