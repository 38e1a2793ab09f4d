//! `decant list`: the files, printed or saved.

use decant::core::Result;
use decant::core::schema::TableName;
use decant::listing::{Listing, listing_origin, save_to_file, save_to_table};

use crate::args::{GlobalArgs, ListArgs, OutputFormat};
use crate::exit::Exit;
use crate::output::{print, print_json};
use crate::progress::{counted, human_bytes};

/// Lists what was meant.
pub(crate) async fn run(args: &ListArgs, global: &GlobalArgs) -> Result<Exit> {
    let settings = args.options(global).settings()?;
    let storage = decant::open_storage(&settings.source).await?;
    let mut listing = Listing::new(&storage, settings.selection.clone(), args.max_files);
    if let Some(path) = &args.to_file {
        let files = save_to_file(&mut listing, path).await?;
        return saved(files, &path.display().to_string(), global);
    }
    if let Some(table) = args.to.as_ref().and(args.table.as_ref()) {
        let destination = decant::open_destination_of(&settings.destination).await?;
        let origin = listing_origin(storage.scope(), settings.selection.folder());
        let name = TableName::parse(table);
        let files = save_to_table(&mut listing, destination.as_ref(), &name, origin).await?;
        return saved(files, table, global);
    }
    print_all(&mut listing, global).await?;
    Ok(Exit::Ok)
}

fn saved(files: u64, place: &str, global: &GlobalArgs) -> Result<Exit> {
    match global.output {
        OutputFormat::Json => print_json(&serde_json::json!({"files": files, "saved": place}))?,
        OutputFormat::Text => print(&format!("{} saved to {place}\n", counted(files, "file")))?,
    }
    Ok(Exit::Ok)
}

async fn print_all(listing: &mut Listing, global: &GlobalArgs) -> Result<()> {
    let (mut files, mut bytes) = (0, 0);
    while let Some(page) = listing.next().await? {
        let mut lines = String::new();
        for file in &page {
            files += 1;
            bytes += file.size;
            match global.output {
                OutputFormat::Json => print_json(file)?,
                OutputFormat::Text => lines.push_str(&format!(
                    "{}  {:>12}  {}\n",
                    file.last_modified.format("%Y-%m-%d %H:%M:%S"),
                    file.size,
                    file.path.escape_debug()
                )),
            }
        }
        print(&lines)?;
    }
    match global.output {
        OutputFormat::Json => Ok(()),
        OutputFormat::Text => {
            print(&format!("{}, {}\n", counted(files, "file"), human_bytes(bytes)))
        }
    }
}
