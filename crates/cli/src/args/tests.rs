//! Command lines, as people type them.

use clap::CommandFactory;
use decant::config::Vocabulary;
use decant::core::ErrorKind;
use decant::core::stream::{
    Header, Mark, MaxRejects, MissingColumns, NewColumns, OnConflict, Reload, Trim, TypePolicy,
    WriteMode,
};
use decant::core::value_format::NumberFormat;

use super::*;

fn read(line: &str) -> Cli {
    Cli::try_read(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refusal(line: &str) -> String {
    Cli::try_read(words(line)).err().unwrap_or_else(|| panic!("{line}")).to_string()
}

fn words(line: &str) -> Vec<&str> {
    std::iter::once("decant").chain(line.split(' ').filter(|word| !word.is_empty())).collect()
}

fn load_of(line: &str) -> decant::core::Result<decant::config::Settings> {
    let cli = read(line);
    let Verb::Load(load) = &cli.verb else { panic!("{line} is no load") };
    load.options(&cli.global)?.settings(&Vocabulary::default())
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_option_has_an_environment_variable() {
    let mut command = Cli::command();
    command.build();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().cloned());
        let is_builtin = |id: &str| matches!(id, "help" | "version");
        for option in command.get_opts().filter(|option| !is_builtin(option.get_id().as_str())) {
            let variable = option.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(variable.starts_with("DECANT_"), "{} {}", command.get_name(), option.get_id());
        }
    }
}

#[test]
fn a_load_is_read_and_meant() {
    let settings = load_of(
        "load s3://b/in/*.csv --to sqlite:a.db --table s.t --format csv --delimiter tab \
         --no-header --rename a=b --type b=timestamp[us,tz=UTC] --select b,c --on-error reject \
         --max-rejects 2% --no-file-id --retry-failed --threads 3 --requests 9 --memory 64MiB --ledger l",
    )
    .unwrap();
    let stream = &settings.streams[0];
    assert_eq!(settings.destination.url.expose(), "sqlite:a.db");
    assert_eq!(settings.destination.ledger, "l");
    assert_eq!((settings.threads, settings.memory_bytes), (3, 64 << 20));
    assert_eq!(settings.requests, 9);
    assert_eq!(stream.table.fixed().unwrap().to_string(), "s.t");
    assert_eq!(
        (stream.format.delimiter.as_deref(), stream.format.header),
        (Some("\t"), Some(Header::None))
    );
    assert_eq!(stream.columns.rename["a"], "b");
    assert_eq!(stream.columns.types["b"].column_type.to_string(), "timestamptz");
    assert_eq!(stream.columns.select, ["b", "c"]);
    assert_eq!(stream.max_rejects, MaxRejects::Percent(2.0));
    assert_eq!((stream.file_id, stream.reload), (false, Reload::Failed));
}

#[test]
fn formats_columns_and_drift_are_read_and_meant() {
    let settings = load_of(
        "load s3://b/in/ --encoding utf-16le --lenient --delimiter || --header-rows 2 --decimal , \
         --thousands . --comment none --alias id=cust_id --alias id=CustomerID --trim \
         --exclude-columns note --hash email --mask iban=4 --mask name --add-column src={file} \
         --row-hash h=id,email --where id>1 --new-columns rescue --missing-columns fail \
         --types frozen --on-conflict fail",
    )
    .unwrap();
    let stream = &settings.streams[0];
    let format = &stream.format;
    assert!(format.lenient);
    assert_eq!(format.encoding.as_deref(), Some("utf-16le"));
    assert_eq!(format.delimiter.as_deref(), Some("||"));
    assert_eq!((format.header, format.comment), (Some(Header::Rows(2)), Some(Mark::Off)));
    assert_eq!(format.numbers, Some(NumberFormat { decimal: ',', thousands: Some('.') }));
    let columns = &stream.columns;
    assert_eq!(columns.aliases["id"], ["cust_id", "CustomerID"]);
    assert_eq!((&columns.trim, columns.exclude.as_slice()), (&Trim::All, &["note".to_owned()][..]));
    assert_eq!(columns.conceal.len(), 3);
    assert_eq!(columns.added.len(), 2);
    assert_eq!(stream.filter.comparisons.len(), 1);
    assert_eq!(stream.new_columns, Some(NewColumns::Rescue));
    assert_eq!(stream.missing_columns, MissingColumns::Fail);
    assert_eq!((stream.types, stream.on_conflict), (Some(TypePolicy::Frozen), OnConflict::Fail));
    let trimmed = load_of("load --trim=a,b s3://b/in/").unwrap().streams.remove(0);
    assert_eq!(trimmed.columns.trim, Trim::Columns(vec!["a".into(), "b".into()]));
    let json = load_of("load s3://b/in/ --json-orient split --flatten 2").unwrap();
    assert_eq!(json.streams[0].format.name.as_deref(), Some("json-split"));
}

#[test]
fn the_key_of_a_hash_is_never_typed() {
    let error = load_of("load s3://b/in/ --hash a --hash-key-from NO_SUCH_VARIABLE").unwrap_err();
    assert!(error.to_string().contains("`NO_SUCH_VARIABLE` is not set"), "{error}");
    assert!(error.hint().unwrap().contains("not the key itself"), "{error:?}");
    let error = load_of("load s3://b/in/ --hash-key-from HOME").unwrap_err();
    assert!(error.to_string().contains("without --hash"), "{error}");
}

#[test]
fn rejects_and_replays_are_chosen() {
    let cli = read("rejects --table t --file a.csv --reason type --all --limit 7");
    let Verb::Rejects(rejects) = &cli.verb else { panic!("no rejects") };
    let choice = rejects.choice(true);
    assert_eq!((choice.table.as_deref(), choice.limit, choice.settled), (Some("t"), Some(7), true));
    let cli = read("rejects");
    let Verb::Rejects(rejects) = &cli.verb else { panic!("no rejects") };
    assert_eq!((rejects.choice(true).limit, rejects.choice(false).limit), (Some(50), None));
    let cli = read("replay --type a=text --lenient --dry-run --run r");
    let Verb::Replay(replay) = &cli.verb else { panic!("no replay") };
    let meant = replay.replay().unwrap();
    assert!(meant.lenient && meant.dry_run && meant.types.contains_key("a"));
    assert_eq!(replay.choice().run.as_deref(), Some("r"));
}

#[test]
fn global_options_stand_anywhere() {
    for line in ["--output json sync -c x.yaml -vv", "-c x.yaml sync --output json -v -v"] {
        let cli = read(line);
        assert_eq!(cli.global.output, OutputFormat::Json);
        assert_eq!(cli.global.config, std::path::Path::new("x.yaml"));
        assert_eq!(cli.global.verbose, 2);
    }
}

#[test]
fn a_sync_names_streams_and_what_is_loaded_again() {
    let cli = read("sync --stream a --stream b --full-refresh --anonymous");
    let Verb::Sync(sync) = &cli.verb else { panic!("no sync") };
    let overrides = sync.overrides(&cli.global);
    assert_eq!(overrides.streams, ["a", "b"]);
    assert!(overrides.reload.full_refresh && overrides.anonymous);
}

#[test]
fn a_full_refresh_replaces() {
    let settings = load_of("load s3://b/in/ --full-refresh").unwrap();
    assert_eq!(settings.streams[0].write_mode, WriteMode::Replace);
}

#[test]
fn what_is_planned_is_refused_by_name_and_hidden_from_help() {
    let error = load_of("load s3://b/in/ --if-exists merge").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("`append`, `replace`, `fail`"), "{error:?}");
    let mut command = Cli::command();
    let help = command.find_subcommand_mut("load").unwrap().render_long_help().to_string();
    assert!(help.contains("replace") && !help.contains("merge"), "{help}");
}

#[test]
fn wrong_options_are_refused_with_the_cure() {
    for (line, cure) in [
        ("load", "<SOURCE>"),
        ("load s3://b --if-exists upsert", "append, replace, fail"),
        ("load s3://b --type a=bigintt", "did you mean `bigint`?"),
        ("load s3://b --type a", "there is no `=`"),
        ("load s3://b --max-rejects many", "write `100`, or `2%`"),
        ("load s3://b --memory lots", "`64MB`"),
        ("load s3://b --tabel t", "--table"),
        ("sync --threads 0", "0 is not in"),
        ("history --status lost", "superseded"),
        ("list s3://b --to sqlite:a.db", "--table"),
        ("plan --table t", "plan needs a SOURCE"),
        ("discover --table t", "discover needs a SOURCE"),
        ("discover s3://b/ --force", "--write"),
        ("load s3://b --types frosen", "widen, frozen"),
        ("load s3://b --add-column a={fiel}", "did you mean `{file}`?"),
        ("load s3://b --flatten-separator .", "--flatten"),
    ] {
        let refusal = refusal(line);
        assert!(refusal.contains(cure), "{line}: {refusal}");
    }
    let error = load_of("load s3://b/x/ --rename a=b --rename a=c").unwrap_err();
    assert!(error.to_string().contains("twice for column `a`"), "{error}");
}

#[test]
fn a_plan_is_of_the_configuration_or_of_a_load() {
    let cli = read("plan --stream a --force");
    let Verb::Plan(plan) = &cli.verb else { panic!("no plan") };
    assert!(plan.options(&cli.global).unwrap().is_none());
    assert!(plan.overrides(&cli.global).reload.force);
    let cli = read("plan s3://b/in/ --table t --to sqlite:x.db");
    let Verb::Plan(plan) = &cli.verb else { panic!("no plan") };
    let settings = plan.options(&cli.global).unwrap().unwrap().settings(&Vocabulary::default());
    assert_eq!(settings.unwrap().destination.url.expose(), "sqlite:x.db");
}

#[test]
fn a_list_takes_extensions_with_or_without_the_dot_and_no_files_at_all() {
    for extension in ["json", ".json"] {
        let cli = read(&format!("list s3://b/in/ --extension {extension} --max-files 0"));
        let Verb::List(list) = &cli.verb else { panic!("no list") };
        assert_eq!(list.max_files, Some(0));
        let selection = list.options(&cli.global).settings().unwrap().selection;
        let now = chrono::Utc::now();
        let judged = selection.judge("in/a.json", 1, chrono::DateTime::UNIX_EPOCH, now);
        assert_eq!(judged, None);
    }
}

#[test]
fn a_history_is_filtered_and_bounded() {
    let cli = read("history --to sqlite:a.db --status failed --run r --table public.t");
    let Verb::History(history) = &cli.verb else { panic!("no history") };
    let filter = history.filter();
    assert_eq!(filter.status, Some(decant::core::ledger::Status::Failed));
    assert_eq!((filter.limit, filter.run_id.as_deref()), (Some(50), Some("r")));
    let destination = history.overrides(&cli.global).destination().unwrap();
    assert_eq!(destination.url.expose(), "sqlite:a.db");
}

#[test]
fn secrets_of_the_environment_are_not_in_the_help() {
    let mut command = Cli::command();
    command.build();
    for verb in ["load", "list", "plan", "check", "history"] {
        let verb = command.find_subcommand(verb).unwrap();
        let to = verb.get_opts().find(|option| option.get_id() == "to").unwrap();
        assert!(to.is_hide_env_values_set());
    }
}
