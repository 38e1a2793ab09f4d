//! `decant config`: describe, begin or check a configuration file.

use decant::config::{Vocabulary, check, example, schema};
use decant::core::Result;

use crate::args::{ConfigVerb, GlobalArgs};
use crate::exit::Exit;
use crate::output::print;

/// Prints what was asked for.
pub(crate) fn run(verb: ConfigVerb, global: &GlobalArgs) -> Result<Exit> {
    match verb {
        ConfigVerb::Schema => print(&schema())?,
        ConfigVerb::Example => print(example())?,
        ConfigVerb::Check => {
            let formats = decant::registry::format_names();
            let vocabulary = Vocabulary { formats: &formats };
            print(&check(&global.document()?, &global.overrides(), &vocabulary)?)?;
        }
    }
    Ok(Exit::Ok)
}
