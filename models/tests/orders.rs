//! Which memory orders the scenarios of a protocol need: every order that its faithful scheme takes,
//! weakened by itself, and what then breaks. Kept as snapshots, so that an order which is no longer needed,
//! or is needed from now on, shows; `INSTA_UPDATE=always` refreshes them.

use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt::Write as _;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::engine::Budget;

/// Executions of one scenario at most; more is no answer.
const EXECUTIONS: u64 = 20_000;

fn orders(entry: &Entry) -> Result<(), Failed> {
    let rows = entry.orders(Budget { executions: EXECUTIONS, ..Budget::default() });
    let mut text = String::new();
    for row in &rows {
        if row.broken.is_none() && row.sampled > 0 {
            return Err(format!("{}: {} scenarios not exhausted", row.place, row.sampled).into());
        }
        // Lines change with every edit of a scheme; their order does not.
        let file = row.place.rsplit_once(':').map_or(&*row.place, |(file, _)| file);
        let broken = row.broken.as_ref().map_or_else(
            || "nothing".to_owned(),
            |(scenario, kind)| format!("{kind} in {scenario}"),
        );
        let (step, stated, tried) = (row.step, &row.stated, &row.tried);
        writeln!(text, "{file} {step} {stated} → {tried}: {broken}")?;
    }
    if rows.is_empty() {
        text.push_str("no order is stronger than relaxed\n");
    }
    let name = entry.name;
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("orders__{name}"), text);
    });
    println!("{name}: {} orders weakened", rows.len());
    Ok(())
}

fn main() {
    let arguments = Arguments::from_args();
    let trials = catalogue::all()
        .into_iter()
        .map(|entry| Trial::test(entry.name, move || orders(&entry)).with_ignored_flag(true));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
