//! Columns by name: in any order, under which names, and those that are new.

use crate::world::on_both;

#[test]
fn columns_are_matched_by_their_header_in_any_order() {
    on_both(|world| {
        world.put("orders/1.csv", "id,name,amount\n1,a,10\n");
        world.put("orders/2.csv", "amount,id,name\n20,2,b\n");
        world.put("orders/3.csv", "name,id\nc,3\n");
        world.load("orders/", &[]).exits(0);
        let rows = world.query("SELECT id, name, amount FROM orders ORDER BY id");
        assert_eq!(rows, ["1|a|10", "2|b|20", "3|c|NULL"]);
    });
}

#[test]
fn new_tables_are_named_in_snake_case_and_later_headers_still_match() {
    on_both(|world| {
        world.put("orders/1.csv", "Order ID,customerName,Net-Amount\n1,a,10\n");
        world.load("orders/", &[]).exits(0);
        let columns = ["order_id", "customer_name", "net_amount", "_file_id"];
        assert_eq!(world.database.columns("orders"), columns);
        world.put("orders/2.csv", "NET_AMOUNT,order_id,Customer Name\n20,2,b\n");
        world.load("orders/", &[]).exits(0);
        let rows = world.query("SELECT order_id, customer_name, net_amount FROM orders ORDER BY 1");
        assert_eq!(rows, ["1|a|10", "2|b|20"]);
    });
}

#[test]
fn names_are_kept_as_they_are_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "Order ID,customerName,select\n1,a,x\n");
        world.load("orders/", &["--column-names", "source"]).exits(0);
        let columns = ["Order ID", "customerName", "select", "_file_id"];
        assert_eq!(world.database.columns("orders"), columns);
        let rows = world.query("SELECT \"Order ID\", \"customerName\", \"select\" FROM orders");
        assert_eq!(rows, ["1|a|x"]);
    });
}

#[test]
fn names_that_collide_get_a_suffix_that_the_report_tells() {
    on_both(|world| {
        world.put("orders/1.csv", "a b,a_b,A-B\n1,2,3\n");
        let run = world.load("orders/", &[]).exits(0);
        let columns = world.database.columns("orders");
        assert_eq!(columns.len(), 4, "{columns:?}");
        let report = run.report();
        let told = format!("{}{}", report["notes"], report["tables"]);
        for column in &columns[..3] {
            assert!(column.starts_with("a_b"), "{columns:?}");
            assert!(told.contains(column.as_str()), "{column} is not told in {told}");
        }
        world.put("orders/2.csv", "A-B,a b,a_b\n30,10,20\n");
        world.load("orders/", &[]).exits(0);
        let sql = format!(
            "SELECT \"{}\", \"{}\", \"{}\" FROM orders ORDER BY 1",
            columns[0], columns[1], columns[2]
        );
        assert_eq!(world.query(&sql), ["1|2|3", "10|20|30"]);
    });
}

#[test]
fn renamed_and_selected_columns_are_the_only_ones() {
    on_both(|world| {
        world.put("orders/1.csv", "order_date,cust_id,noise\n2024-01-02,7,x\n");
        let options = [
            "--rename",
            "order_date=created_at",
            "--rename",
            "cust_id=customer_id",
            "--select",
            "created_at,cust_id",
        ];
        world.load("orders/", &options).exits(0);
        assert_eq!(world.database.columns("orders"), ["created_at", "customer_id", "_file_id"]);
        assert_eq!(world.query("SELECT created_at, customer_id FROM orders"), ["2024-01-02|7"]);
    });
}

#[test]
fn tables_carry_the_ledgers_id_unless_told_otherwise() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &["--table", "with_id"]).exits(0);
        world.load("orders/", &["--table", "without_id", "--no-file-id"]).exits(0);
        assert_eq!(world.database.columns("with_id"), ["id", "_file_id"]);
        assert_eq!(world.database.columns("without_id"), ["id"]);
        let sql = "SELECT count(*) FROM with_id JOIN processed_files f ON f.id = _file_id";
        assert_eq!(world.query(sql), ["1"]);
    });
}

#[test]
fn new_columns_are_added_to_tables_that_decant_made() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,colour\n2,red\n");
        let run = world.load("orders/", &[]).exits(0);
        let rows = world.query("SELECT id, colour FROM orders ORDER BY id");
        assert_eq!(rows, ["1|NULL", "2|red"]);
        let changes = run.report()["tables"][0]["changes"].to_string();
        assert!(changes.contains("colour"), "{changes}");
    });
}

#[test]
fn new_columns_fail_the_file_where_the_table_is_somebody_elses() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint)");
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/2.csv", "id,colour\n2,red\n");
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "loaded 1, failed 1");
        let error = run.error();
        assert_eq!(error["kind"], "SchemaMismatch", "{error:#}");
        assert!(error["message"].as_str().unwrap().contains("colour"), "{error:#}");
        assert!(error["hint"].as_str().unwrap().contains("new_columns"), "{error:#}");
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
        assert_eq!(world.database.columns("orders"), ["id"]);
    });
}

#[test]
fn new_columns_are_added_to_anybodys_table_where_that_is_asked() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint)");
        world.put("orders/2.csv", "id,colour\n2,red\n");
        world.load("orders/", &["--new-columns", "add"]).exits(0);
        assert_eq!(world.query("SELECT id, colour FROM orders"), ["2|red"]);
    });
}

#[test]
fn new_columns_are_left_out_or_refused_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,colour\n2,red\n");
        let run = world.load("orders/", &["--new-columns", "fail"]).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        let run = world.load("orders/", &["--new-columns", "ignore"]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "2"]);
        assert_eq!(world.database.columns("orders"), ["id", "_file_id"]);
    });
}
