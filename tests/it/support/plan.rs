//! How Postgres carries out a statement of the product, as it stands in `.sqlx`.

use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// An executed plan.
#[derive(Debug)]
pub struct Plan {
    root: Value,
}

impl Plan {
    /// Runs, and rolls back, the one statement with `part` in its text. `arguments` are SQL.
    pub async fn of(connection: &mut PgConnection, part: &str, arguments: &str) -> Self {
        let text = statement(part);
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql("set local plan_cache_mode = force_custom_plan").execute(&mut *transaction).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("prepare planned as {text}"))).execute(&mut *transaction).await.unwrap();
        let explain = AssertSqlSafe(format!("explain (analyze, format json) execute planned({arguments})"));
        let row = sqlx::query(explain).persistent(false).fetch_one(&mut *transaction).await.unwrap();
        sqlx::raw_sql("deallocate planned").execute(&mut *transaction).await.unwrap();
        transaction.rollback().await.unwrap();
        Self { root: row.get::<Value, _>(0)[0].clone() }
    }

    /// How many rows of tables and indexes were looked at.
    pub fn rows_read(&self) -> f64 {
        let number = |node: &Value, name: &str| node[name].as_f64().unwrap_or(0.0);
        self.nodes().iter().filter(|n| is_scan(n)).fold(0.0, |sum, node| {
            let each = ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"];
            sum + each.iter().map(|name| number(node, name)).sum::<f64>() * number(node, "Actual Loops")
        })
    }

    /// Tables that were read from one end to the other.
    pub fn whole_tables(&self) -> Vec<String> {
        let scans = self.nodes();
        let whole = scans.iter().filter(|n| n["Node Type"].as_str() == Some("Seq Scan") && n["Actual Loops"] != 0);
        whole.map(|n| n["Relation Name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub fn milliseconds(&self) -> f64 {
        self.root["Execution Time"].as_f64().unwrap()
    }

    /// Each node that read something, in a line.
    pub fn summary(&self) -> String {
        let of = |node: &Value, name: &str| node[name].to_string();
        let names = [
            "Node Type",
            "Index Name",
            "Relation Name",
            "Index Cond",
            "Filter",
            "Actual Rows",
            "Rows Removed by Filter",
            "Actual Loops",
        ];
        let line = |node: &&Value| names.map(|name| of(node, name)).join(" | ");
        self.nodes().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn nodes(&self) -> Vec<&Value> {
        let (mut open, mut found) = (vec![&self.root["Plan"]], Vec::new());
        while let Some(node) = open.pop() {
            open.extend(node["Plans"].as_array().into_iter().flatten());
            found.push(node);
        }
        found
    }
}

fn is_scan(node: &Value) -> bool {
    // Not the rows that another node has read already.
    let others = ["Bitmap Heap Scan", "Subquery Scan", "CTE Scan"];
    node["Node Type"].as_str().is_some_and(|kind| kind.contains("Scan") && !others.contains(&kind))
        && node["Function Name"].is_null()
}

fn statement(part: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let texts = std::fs::read_dir(folder).unwrap().map(|entry| {
        let file: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        file["query"].as_str().unwrap().to_owned()
    });
    let found: Vec<String> = texts.filter(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").contains(part)).collect();
    assert_eq!(found.len(), 1, "statements with {part:?}");
    found.into_iter().next().unwrap()
}
