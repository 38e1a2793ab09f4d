//! What the values of text files become. What a value is stays; how it was
//! spelled may go.

use crate::world::{World, on_both};

/// Every type of a CSV, in one file.
const EVERYTHING: &str = "\
n,price,flag,day,at,at_zone,ident,word,zip,phone,maybe,big
1,12.50,TRUE,2024-01-31,2024-01-02T10:00:00,2024-01-02T10:00:00+02:00,\
123e4567-e89b-12d3-a456-426614174000,plain,007,+33612345678,,99999999999999999999
-2,0.05,false,1999-12-01,2024-01-02 23:59:59.5,2024-01-02T10:00:00Z,\
00000000-0000-0000-0000-000000000001,\"\",0042,+4930123,3,1
";

fn types(world: &World, options: &[&str]) -> Vec<String> {
    let report = world.load("typed/", options).exits(0).report();
    let columns = report["tables"][0]["columns"].as_array().expect("columns").clone();
    let text = |column: &serde_json::Value| {
        format!("{} {}", column["name"].as_str().unwrap(), column["type"].as_str().unwrap())
    };
    columns.iter().map(text).collect()
}

#[test]
fn types_are_inferred_from_the_values() {
    on_both(|world| {
        world.put("typed/all.csv", EVERYTHING);
        let types = types(world, &[]);
        let (price, big) = if world.database.is_postgres() {
            ("price decimal", "big decimal")
        } else {
            ("price float64", "big text")
        };
        let expected = [
            "n int64",
            price,
            "flag bool",
            "day date",
            "at timestamp",
            "at_zone timestamptz",
            "ident uuid",
            "word text",
            "zip text",
            "phone text",
            "maybe int64",
            big,
        ];
        assert_eq!(types.len(), expected.len(), "{types:?}");
        for (found, expected) in types.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} instead of {expected}");
        }
    });
}

#[test]
fn inferred_values_arrive_whole_in_sqlite() {
    let world = World::sqlite();
    world.put("typed/all.csv", EVERYTHING);
    world.load("typed/", &[]).exits(0);
    assert_eq!(
        world.query(
            "SELECT n, price, flag, day, at, at_zone, ident, word, zip, phone, maybe, big
             FROM typed ORDER BY n DESC"
        ),
        [
            "1|12.5|1|2024-01-31|2024-01-02 10:00:00|2024-01-02 08:00:00+00:00|\
             123e4567-e89b-12d3-a456-426614174000|plain|007|+33612345678|NULL|99999999999999999999",
            "-2|0.05|0|1999-12-01|2024-01-02 23:59:59.500000|2024-01-02 10:00:00+00:00|\
             00000000-0000-0000-0000-000000000001||0042|+4930123|3|1",
        ]
    );
}

#[test]
fn inferred_values_arrive_whole_in_postgres() {
    let world = World::postgres();
    world.put("typed/all.csv", EVERYTHING);
    world.load("typed/", &[]).exits(0);
    assert_eq!(
        world.query(
            "SELECT n, price, flag, day, at, at_zone, ident, word, zip, phone, maybe, big
             FROM typed ORDER BY n DESC"
        ),
        [
            "1|12.5|t|2024-01-31|2024-01-02 10:00:00|2024-01-02 08:00:00+00|\
             123e4567-e89b-12d3-a456-426614174000|plain|007|+33612345678|NULL|99999999999999999999",
            "-2|0.05|f|1999-12-01|2024-01-02 23:59:59.5|2024-01-02 10:00:00+00|\
             00000000-0000-0000-0000-000000000001||0042|+4930123|3|1",
        ]
    );
    assert_eq!(
        world.query(
            "SELECT column_name, data_type FROM information_schema.columns
             WHERE table_name = 'typed' AND column_name IN ('n', 'price', 'flag', 'ident', 'at_zone')
             ORDER BY column_name"
        ),
        [
            "at_zone|timestamp with time zone", "flag|boolean", "ident|uuid", "n|bigint",
            "price|numeric"
        ]
    );
}

#[test]
fn spellings_that_are_not_numbers_stay_text() {
    on_both(|world| {
        world.put(
            "typed/codes.csv",
            "hex,percent,money,lead,plus,exp\n0x1F,5%,$3.10,007,+491,1e3\n0xFF,10%,$4.00,008,+492,2.5e-3\n",
        );
        let expected =
            ["hex text", "percent text", "money text", "lead text", "plus text", "exp float64"];
        assert_eq!(types(world, &[]), expected);
        assert_eq!(
            world.query("SELECT hex, percent, money, lead, plus FROM typed ORDER BY hex"),
            ["0x1F|5%|$3.10|007|+491", "0xFF|10%|$4.00|008|+492"]
        );
    });
}

#[test]
fn an_empty_field_is_null_and_a_quoted_one_an_empty_text() {
    on_both(|world| {
        world.put("typed/empty.csv", "id,word\n1,\n2,\"\"\n3,x\n");
        world.load("typed/", &[]).exits(0);
        let rows = world.rows("SELECT word FROM typed ORDER BY id");
        assert_eq!(rows, [vec![None], vec![Some(String::new())], vec![Some("x".into())]]);
    });
}

#[test]
fn null_values_are_those_that_are_named() {
    on_both(|world| {
        world.put("typed/null.csv", "id,n\n1,NA\n2,-\n3,7\n");
        let options = ["--null-value", "NA", "--null-value", "-"];
        assert_eq!(types(world, &options), ["id int64", "n int64"]);
        assert_eq!(world.query("SELECT n FROM typed ORDER BY id"), ["NULL", "NULL", "7"]);
    });
}

#[test]
fn types_that_are_given_win_and_may_name_either_side_of_a_rename() {
    on_both(|world| {
        world.put("typed/told.csv", "Order ID,Sum,Code\n1,2.5,7\n");
        let options = [
            "--rename",
            "Order ID=number",
            "--type",
            "number=text",
            "--type",
            "Sum=numeric(10,2)",
            "--type",
            "Code=string",
        ];
        assert_eq!(types(world, &options), ["number text", "sum decimal(10,2)", "code text"]);
        assert_eq!(world.query("SELECT number, code FROM typed"), ["1|7"]);
    });
}

#[test]
fn text_keeps_every_spelling() {
    on_both(|world| {
        world.put("typed/text.csv", "a,b,c\n12.00,TRUE,2024-01-02T10:00:00\n");
        assert_eq!(types(world, &["--text"]), ["a text", "b text", "c text"]);
        assert_eq!(world.query("SELECT a, b, c FROM typed"), ["12.00|TRUE|2024-01-02T10:00:00"]);
    });
}

#[test]
fn decimals_are_doubles_for_those_who_want_them() {
    on_both(|world| {
        world.put("typed/decimal.csv", "a\n1.5\n2.25\n");
        assert_eq!(types(world, &["--decimals", "float"]), ["a float64"]);
        assert_eq!(world.query("SELECT a FROM typed ORDER BY a"), ["1.5", "2.25"]);
    });
}

#[test]
fn integers_beyond_64_bits_are_never_clamped() {
    on_both(|world| {
        world.put("typed/big.csv", "a\n9223372036854775807\n9223372036854775808\n");
        world.load("typed/", &[]).exits(0);
        assert_eq!(
            world.query("SELECT CAST(a AS text) FROM typed ORDER BY length(CAST(a AS text)), 1"),
            ["9223372036854775807", "9223372036854775808"]
        );
    });
}

#[test]
fn several_files_are_joined_to_the_type_that_holds_all_of_them() {
    on_both(|world| {
        world.put("typed/1.csv", "a,b\n1,x\n");
        world.put("typed/2.csv", "a,b\n2.5,\n");
        world.put("typed/3.csv", "b,a\n,n/a\n");
        assert_eq!(types(world, &[]), ["a text", "b text"]);
        assert_eq!(world.query("SELECT a FROM typed ORDER BY a"), ["1", "2.5", "n/a"]);
    });
}
