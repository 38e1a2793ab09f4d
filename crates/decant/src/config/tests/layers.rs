//! What a profile, a variable, the defaults and the command line lay over a
//! configuration.

use super::*;

#[test]
fn defaults_reach_every_stream_and_streams_win() {
    let text = format!(
        "{HEAD}defaults:\n  on_error: reject\n  max_rejects: 5\n  files: '**/*.csv'\n  \
         columns: {{decimals: float, rename: {{a: b}}}}\n  threads: 3\nstreams:\n  one:\n  \
         two: {{on_error: fail, pattern: x, columns: {{rename: {{c: d}}}}}}\n"
    );
    let settings = settings_of(&text).unwrap();
    assert_eq!(settings.threads, 3);
    let [one, two] = settings.streams.as_slice() else { panic!("two streams") };
    assert_eq!((one.on_error, one.max_rejects), (OnError::Reject, MaxRejects::Rows(5)));
    assert_eq!((two.on_error, two.max_rejects), (OnError::Fail, MaxRejects::Unlimited));
    assert!(one.selection.named_groups().is_none() && two.selection.named_groups().is_some());
    assert_eq!(two.columns.rename.len(), 2);
    assert_eq!(two.columns.decimals, one.columns.decimals);
}

#[test]
fn profiles_are_joined_deeply_and_need_only_their_own_variables() {
    let text = format!(
        "{HEAD}destination: {{url: '${{NO_SUCH}}', ledger: l}}\n\
         streams:\n  s: {{files: a, table: t}}\n\
         profiles:\n  dev:\n    destination: sqlite:dev.db\n    source: {{region: eu-west-1}}\n    \
         streams: {{s: {{pattern: b}}, extra: {{table: u, files: c}}}}\n  \
         other: {{defaults: {{threads: '${{NO_SUCH}}'}}}}\n"
    );
    let dev = open(&text, Some("dev")).unwrap();
    let settings = dev.settings(&Overrides::default(), &FORMATS).unwrap();
    assert_eq!(settings.destination.url.expose(), "sqlite:dev.db");
    assert_eq!(settings.destination.ledger, "l");
    assert_eq!(settings.source.region.as_deref(), Some("eu-west-1"));
    let names: Vec<&str> = settings.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["s", "extra"]);
    assert!(settings.streams[0].selection.named_groups().is_some());
    let error = open(&text, None).err().unwrap();
    assert_eq!(error.to_string(), "d.yaml:2:20: the environment variable `NO_SUCH` is not set");
    let error = open(&text, Some("deev")).err().unwrap();
    assert!(error.hint().unwrap().contains("did you mean `dev`?"), "{error:?}");
}

#[test]
fn variables_fill_any_kind_of_value() {
    let settings = settings_of(&format!(
        "{HEAD}destination: ${{URL}}\ndefaults: {{threads: '${{N}}'}}\nstreams: {{s: }}\n"
    ));
    let settings = settings.unwrap();
    assert_eq!(settings.destination.url.expose(), "postgresql://u:hunter2@h/db");
    assert_eq!(settings.threads, 3);
}

#[test]
fn values_of_variables_are_in_no_error() {
    for text in [
        "streams: {s: {if_exists: '${WRONG}'}}\n",
        "streams: {s: {max_attempts: '${WRONG}'}}\n",
        "streams: {s: {file_id: 'x${WRONG}'}}\n",
        "streams: {s: {format: '${WRONG}'}}\n",
        "streams: {s: {files: '[${WRONG}'}}\n",
        "streams: {s: {pattern: '(${WRONG}'}}\n",
        "streams: {s: {table: '{${WRONG}}'}}\n",
        "streams: {s: {columns: {types: {a: '${WRONG}'}}}}\n",
        "source: {url: '${WRONG}://x'}\nstreams: {s: }\n",
        "defaults: {memory: '${WRONG}'}\nstreams: {s: }\n",
    ] {
        let head = if text.starts_with("source") { "" } else { HEAD };
        let error = settings_of(&format!("{head}{text}")).expect_err(text);
        let everything = format!("{error:?} {}", error.chain());
        assert!(!everything.contains("hunter2"), "{text}: {everything}");
        assert!(everything.contains("d.yaml:"), "{text}: {everything}");
    }
}

#[test]
fn secrets_are_in_no_output_of_check() {
    let text = "source:\n  url: s3://b/\n  credentials: {access_key_id: AKIA1, secret_access_key: hunter3}\n  \
                sse_customer_key: hunter4\ndestination: postgresql://u:hunter5@h/d\n\
                defaults: {threads: 2}\nstreams:\n  s: {table: 't${N}', files: '*.csv'}\n\
                profiles: {p: {destination: '${URL}'}}\n";
    let plain = open(text, None).unwrap();
    let shown = check(&plain, &Overrides::default(), &FORMATS).unwrap();
    assert!(!shown.contains("hunter") && !shown.contains("AKIA1"), "{shown}");
    assert!(shown.contains("postgresql://u:***@h/d"), "{shown}");
    assert!(shown.contains("\"t${N}\"") && shown.contains("append (default)"), "{shown}");
    let profile = open(text, Some("p")).unwrap();
    let shown = check(&profile, &Overrides::default(), &FORMATS).unwrap();
    assert!(shown.contains("${URL}") && !shown.contains("hunter"), "{shown}");
    let settings = plain.settings(&Overrides::default(), &FORMATS).unwrap();
    let debug = format!("{settings:?} {:?}", plain.configuration());
    assert!(!debug.contains("hunter"), "{debug}");
}

#[test]
fn the_command_line_wins_over_the_file() {
    let text = "source: {url: s3://b, region: a, credentials: {profile: p}}\n\
         destination: {url: sqlite:a.db, ledger: l}\nstreams: {a: {table: t}, b: {table: u}}\n";
    let overrides = Overrides {
        region: Some("z".into()),
        anonymous: true,
        destination: typed::Destination {
            url: Some(String::from("sqlite:z.db").into()),
            ..Default::default()
        },
        streams: vec!["b".into()],
        reload: ReloadOptions { full_refresh: true, retry_failed: true, ..Default::default() },
        ..Overrides::default()
    };
    let document = open(text, None).unwrap();
    let settings = document.settings(&overrides, &FORMATS).unwrap();
    assert_eq!(settings.source.region.as_deref(), Some("z"));
    assert_eq!(settings.source.credentials, CredentialSettings::Anonymous);
    assert_eq!(settings.destination.url.expose(), "sqlite:z.db");
    assert_eq!(settings.destination.ledger, "l");
    let [stream] = settings.streams.as_slice() else { panic!("one stream") };
    assert_eq!((stream.name.as_str(), stream.write_mode), ("b", WriteMode::Replace));
    assert_eq!(stream.reload, Reload::Force);
    let unknown = Overrides { streams: vec!["c".into()], ..Overrides::default() };
    let error = document.settings(&unknown, &FORMATS).unwrap_err();
    assert!(error.to_string().contains("there is no stream `c`"), "{error}");
}

#[test]
fn a_stream_that_only_a_profile_names_says_which_files_it_takes() {
    let text = |profile: &str| {
        format!(
            "{HEAD}streams: {{orders: {{table: t}}}}\nprofiles:\n  dev:\n    streams: {profile}\n"
        )
    };
    for (profile, is_good) in [
        ("{order: {table: t9}}", false),
        ("{order: }", false),
        ("{orders: {table: t9}}", true),
        ("{new: {table: t9, files: '*.csv'}}", true),
        ("{new: {table: t9, pattern: 'csv$'}}", true),
    ] {
        for chosen in [None, Some("dev")] {
            let opened = open(&text(profile), chosen);
            assert_eq!(opened.is_ok(), is_good, "{profile}");
            if let Err(error) = opened {
                assert!(
                    error.to_string().starts_with("d.yaml:5:15: there is no stream `order`"),
                    "{error}"
                );
                assert!(error.hint().unwrap().contains("did you mean `orders`?"));
            }
        }
    }
    let alone = format!("{HEAD}profiles: {{dev: {{streams: {{all: {{}}}}}}}}\n");
    assert!(open(&alone, Some("dev")).is_ok());
}

#[test]
fn what_a_variable_stands_for_is_shown_by_its_name_once() {
    let text = format!("{HEAD}streams:\n  s: {{if_exists: '${{T:-${{N}}}}'}}\n");
    let (_, said) = refusal(&text);
    assert!(said.contains("`${T:-${N}}`"), "{said}");
    assert!(!said.contains("${T:-${T"), "{said}");
}
